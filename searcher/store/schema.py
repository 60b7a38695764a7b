"""The tables of an index's database, and which of their columns a filter may name."""

__all__ = [
    "BESIDE", "COLUMNS", "FAQ", "FORMAT", "HELD", "HISTORY", "INDEXING", "KEYWORDS", "LOOKUP", "PLACES", "SCHEMA",
    "SEEN", "TITLES", "TOKENIZER",
]  # fmt: skip

FORMAT = 7  # PRAGMA user_version; migrations.py knows the way from older ones, a newer one is refused

# What format 2 has more than format 1: by it an index catches up with what was added and removed since it was made.
HISTORY = [
    # The states that the store was in; the last one is the present.
    "CREATE TABLE heads (generation INTEGER PRIMARY KEY, nonce TEXT NOT NULL)",
    # Ids of passages that went, and the generation without them.
    "CREATE TABLE removed (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL)",
    """CREATE TRIGGER remembered AFTER DELETE ON vectors BEGIN
        INSERT OR REPLACE INTO removed SELECT OLD.id, max(generation) + 1 FROM heads; END""",
]

# Marks belong to words: without them those of Indic and Thai script fall to pieces.
TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
# The keyword index, which keyword_index.py keeps. FTS5 does not store the text again: it reads it through the view.
KEYWORDS = [
    # What is indexed in the place of a passage's text, where that is another, or behind it.
    """CREATE TABLE keyword_spaced (
        id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, behind INTEGER NOT NULL, text TEXT NOT NULL)""",
    """CREATE VIEW keyword_texts AS
        SELECT p.id AS id, CASE s.behind WHEN 0 THEN s.text WHEN 1 THEN p.text || s.text ELSE p.text END AS text
        FROM passages p LEFT JOIN keyword_spaced s ON s.id = p.id""",
    f"""CREATE VIRTUAL TABLE keywords USING fts5(text, content=keyword_texts, content_rowid=id,
        tokenize="{TOKENIZER}")""",
]

# What kind of FAISS index its owner wants, and what was measured of it: one row at most; no vector depends on it.
INDEXING = ["CREATE TABLE indexing (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL)"]

# What is kept about a FAQ beside its entries: notes.py knows what.
FAQ = [
    "CREATE TABLE faq (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    """CREATE TABLE unanswered (
        id INTEGER PRIMARY KEY, asked TEXT NOT NULL, question TEXT NOT NULL, crc INTEGER NOT NULL)""",
]

# What a filter asks: which document has which value, and which passages are whose.
LOOKUP = [
    # path is JSON; kind and value are as filters/values.py has them.
    """CREATE TABLE metadata_values (
        path TEXT, kind TEXT, value, document INTEGER REFERENCES documents ON DELETE CASCADE,
        PRIMARY KEY (path, kind, value, document)) WITHOUT ROWID""",
    "CREATE INDEX metadata_values_document ON metadata_values (document)",
    "CREATE INDEX documents_kind ON documents (kind)",
    """CREATE TABLE spans (
        document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE, first INTEGER NOT NULL,
        count INTEGER NOT NULL)""",
]

# A filter on titles need not read the documents, texts and all.
TITLES = ["CREATE INDEX documents_title ON documents (title)"]

# How many passages and values there are: who reads all that there is notices a page that was lost, or is there twice.
HELD = [
    """CREATE TABLE held (
        id INTEGER PRIMARY KEY CHECK (id = 1), passages INTEGER NOT NULL, metadata_values INTEGER NOT NULL)""",
    "INSERT INTO held SELECT 1, (SELECT count(*) FROM vectors), (SELECT count(*) FROM metadata_values)",
    "CREATE TRIGGER came AFTER INSERT ON vectors BEGIN UPDATE held SET passages = passages + 1; END",
    "CREATE TRIGGER went AFTER DELETE ON vectors BEGIN UPDATE held SET passages = passages - 1; END",
    """CREATE TRIGGER value_came AFTER INSERT ON metadata_values BEGIN
        UPDATE held SET metadata_values = metadata_values + 1; END""",
    """CREATE TRIGGER value_went AFTER DELETE ON metadata_values BEGIN
        UPDATE held SET metadata_values = metadata_values - 1; END""",
]

# What the last `add` saw, by which the next one is quicker; a row that is lost costs time, and no more.
SEEN = [
    "CREATE INDEX files_digest ON files (digest)",  # by which a file is found that has another name now
    # mark: how the file looked and how it was read. reason: why it was passed over; NULL where it was read.
    "CREATE TABLE seen (path TEXT PRIMARY KEY, mark BLOB NOT NULL, reason TEXT) WITHOUT ROWID",
    # How far an `add` is that is under way, as JSON: one row at most.
    "CREATE TABLE under_way (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL)",
]

# Where passages stand in files that have pages, sheets or the like, as JSON; no row for those that have no such place.
PLACES = [
    """CREATE TABLE places (
        id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, document INTEGER NOT NULL, place TEXT NOT NULL,
        crc INTEGER NOT NULL)""",
    "CREATE INDEX places_document ON places (document)",
]

# What is kept of some documents beside text and vectors.
BESIDE = [
    # JSON that nobody looks into; the digest of the document covers it.
    """CREATE TABLE payloads (
        document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE, payload TEXT NOT NULL)""",
    # Of a vector that was given: how long it was, and in which bits its unit vector times that differs from it. 0: it
    # was all zeros; -1: none was given. Neither has a direction, so no search by vectors finds it.
    """CREATE TABLE given (
        id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, length REAL NOT NULL, rest BLOB,
        crc INTEGER NOT NULL)""",
    "CREATE INDEX given_nowhere ON given (id) WHERE length <= 0",
    # How many rows that has, kept by triggers as of `held`: without its row a vector would seem to be given as it is.
    "CREATE TABLE held_given (id INTEGER PRIMARY KEY CHECK (id = 1), given INTEGER NOT NULL)",
    "INSERT INTO held_given VALUES (1, 0)",
    "CREATE TRIGGER given_came AFTER INSERT ON given BEGIN UPDATE held_given SET given = given + 1; END",
    "CREATE TRIGGER given_went AFTER DELETE ON given BEGIN UPDATE held_given SET given = given - 1; END",
]

SCHEMA = [
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # A file is entered when all its documents are in; its digest says when it has to be read again.
    "CREATE TABLE files (path TEXT PRIMARY KEY, digest BLOB NOT NULL)",
    # digest covers the whole document: it finds what is unchanged, and what is damaged; crc what a hit shows of it.
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL UNIQUE, key TEXT, kind TEXT NOT NULL,
        title TEXT, metadata TEXT NOT NULL, passages INTEGER NOT NULL, characters INTEGER NOT NULL,
        crc INTEGER NOT NULL, file TEXT, digest BLOB NOT NULL, layout TEXT NOT NULL, text TEXT NOT NULL)""",
    "CREATE INDEX documents_key ON documents (key)",
    "CREATE INDEX documents_file ON documents (file)",
    "CREATE TRIGGER incomplete AFTER DELETE ON documents BEGIN DELETE FROM files WHERE path = OLD.file; END",
    # AUTOINCREMENT: a passage's id is never given to another one.
    """CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        start INTEGER NOT NULL, end INTEGER NOT NULL, line INTEGER NOT NULL, section TEXT, tokens INTEGER NOT NULL,
        text TEXT NOT NULL, text_key INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE INDEX passages_document ON passages (document)",
    "CREATE INDEX passages_text ON passages (text_key)",
    """CREATE TABLE vectors (
        id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, vector BLOB NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE TABLE metadata_keys (key TEXT PRIMARY KEY)",
    *HISTORY,
    *KEYWORDS,
    *INDEXING,
    *FAQ,
    *LOOKUP,
    *TITLES,
    *HELD,
    *PLACES,
    *BESIDE,
    *SEEN,
    "INSERT INTO heads VALUES (0, '')",
    f"PRAGMA user_version = {FORMAT}",
]

# What a filter may name beside the keys of metadata.
COLUMNS = {
    "source": "documents.source", "id": "documents.key", "title": "documents.title", "kind": "documents.kind",
    "section": "passages.section", "line": "passages.line", "passage_id": "passages.id",
}  # fmt: skip
