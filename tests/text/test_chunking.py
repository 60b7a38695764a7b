"""Passages: exact offsets, nothing lost, never over the limit, cut at good places, tokenised once."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import save_bert, save_roberta

from searcher.embedding.models import load_model
from searcher.errors import BadValue
from searcher.records import Chunk
from searcher.text import Chunker, Tokenizer

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
PIECES = [
    "word", "bank", "The river bank.", "Is it? Yes! Go.", "Dr. Smith went home.", " ", "  ", "\n", "\n\n", "\r\n",
    "\r\n\r\n", "\t", "\u00a0", "\u2028", "\x0b", "\x0c", "\x00", "\x1c", "\x85", "\u200b", "\u200d", "\ufeff",
    "\ufffd", "😀", FAMILY, "🏳️\u200d🌈", "e\u0301", "a" + "\u0301\u0323" * 8, "\u0301", "北京是中国的首都",
    "上海很大。", "สวัสดีครับ", "नमस्ते दुनिया", "가나다라마바사", "각" * 60, "[SEP]", "[UNK]", "[MASK]", " [CLS]x",
    "<s>", "<mask>", "</s>", "x" * 101, "ab" * 130, "İstanbul", "ǅ", "ﷺ", "\U0001d7f6", "don't", "e-mail@x.org",
    "##ing", "naïve", "Ünïted", "1,999.50", "...", "“quoted”", "\u3000", "ſ", "\u0344",
]  # fmt: skip
PROMPTS = ["", "query: ", "query:", "q", "passage:\n", "é"]

pieces = st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES), st.text(max_size=6))
texts = st.lists(pieces, max_size=40).map("".join)
kinds = pytest.mark.parametrize("kind", ["uncased", "cased", "roberta", "real"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, bundled: str) -> dict[str, Path]:
    """A model folder for each kind of tokenizer."""
    root = tmp_path_factory.mktemp("tokenizers")
    return {
        "uncased": save_bert(root / "uncased", layers=1),
        "cased": save_bert(root / "cased", layers=1, lowercase=False),
        "roberta": save_roberta(root / "roberta"),
        "real": load_model(bundled).folder,
    }


@pytest.fixture(scope="module")
def both(folders: dict[str, Path]) -> dict[str, tuple[Tokenizer, tokenizers.Tokenizer]]:
    """Ours, and the plain one that judges it, each from the file."""
    return {kind: (Tokenizer.load(folder), plain(folder)) for kind, folder in folders.items()}


@pytest.fixture(scope="module")
def bert(both: dict[str, Any]) -> Tokenizer:
    return both["uncased"][0]


@pytest.fixture(scope="module")
def real(both: dict[str, Any]) -> Tokenizer:
    return both["real"][0]


def plain(folder: Path) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def hold(text: str, chunks: list[Chunk], judge: tokenizers.Tokenizer, limit: int, prompt: str = "") -> None:
    """What is true of the passages of any text."""
    covered, reached, started = 0, 0, 0
    for chunk in chunks:
        passage = text[chunk.start : chunk.end]
        assert passage and passage == passage.strip()
        assert chunk.end > reached and chunk.start >= started
        assert not text[covered : chunk.start].strip(), "text between passages"
        ids = judge.encode(prompt + passage).ids
        assert len(ids) <= limit
        assert list(chunk.ids) == ids
        covered, reached, started = max(covered, chunk.end), chunk.end, chunk.start
    assert not text[covered:].strip(), "text after the last passage"


def passages(chunker: Chunker, text: str, **rest: Any) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in chunker.chunks(text, **rest)]


slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
any_text = settings(max_examples=120, suppress_health_check=slow)


@kinds
@any_text
@given(
    text=texts, extra=st.sampled_from([4, 5, 6, 8, 14, 30]), overlap=st.integers(0, 6), prompt=st.sampled_from(PROMPTS),
    places=st.lists(st.integers(0, 200), max_size=4), breaks=st.lists(st.integers(0, 200), max_size=3),
    boundaries=st.booleans(),
)  # fmt: skip
def test_no_text_breaks_the_promises(
    both: dict[str, Any], kind: str, text: str, extra: int, overlap: int, prompt: str, places: list[int],
    breaks: list[int], boundaries: bool,
) -> None:  # fmt: skip
    tokenizer, judge = both[kind]
    if prompt in ("q", "é"):  # such a prompt joins the first word, which then must fit with it
        extra = max(extra, 14)
    limit = len(judge.encode(prompt).ids) + extra
    sections = tuple((at, f"Heading {at}") for at in sorted(places) if at < len(text))
    ends = sorted(set(breaks))
    chunker = Chunker(tokenizer, limit, min(overlap, extra - 1), prompt, boundaries)
    chunks = list(chunker.chunks(text, sections, ends))
    hold(text, chunks, judge, limit, prompt)
    for at in ends:
        assert not any(chunk.start < at < chunk.end for chunk in chunks), "a passage runs over a break"


@kinds
@any_text
@given(text=texts, extra=st.sampled_from([5, 8, 14, 30]), overlap=st.integers(0, 12))
def test_passages_repeat_no_more_tokens_than_asked(
    both: dict[str, Any], kind: str, text: str, extra: int, overlap: int
) -> None:
    tokenizer, judge = both[kind]
    overlap = min(overlap, extra - 1)
    chunks = list(Chunker(tokenizer, extra + 2, overlap).chunks(text))
    offsets = judge.encode(text, add_special_tokens=False).offsets
    for before, after in pairwise(chunks):
        repeated = sum(after.start <= a and b <= before.end and a < b for a, b in offsets)
        assert repeated <= overlap


@any_text
@given(text=texts, limit=st.sampled_from([8, 16, 40]))
def test_a_lowercasing_model_keeps_the_promises(folders: dict[str, Path], text: str, limit: int) -> None:
    tokenizer = Tokenizer.load(folders["cased"], lowercase=True)
    text = text.replace("[", "(").replace("Σ", "σ")  # special tokens stay; Python knows the final sigma
    chunks = list(Chunker(tokenizer, limit).chunks(text))
    ids = [[2, *tokenizer.encode_ids([text[c.start : c.end].lower()])[0], 3] for c in chunks]
    assert [list(chunk.ids) for chunk in chunks] == ids
    assert max(map(len, ids), default=0) <= limit


@kinds
@pytest.mark.parametrize("limit", [8, 512])
def test_a_word_of_100_000_characters_is_kept_whole_in_pieces(both: dict[str, Any], kind: str, limit: int) -> None:
    tokenizer, judge = both[kind]
    text = "before " + "abqc" * 25_000 + " after"
    chunks = list(Chunker(tokenizer, limit).chunks(text))
    hold(text, chunks, judge, limit)
    assert sum(chunk.unknown for chunk in chunks) == 0
    assert sum(chunk.splits_word for chunk in chunks) == len(chunks) - 1 - (text[: chunks[0].end] == "before") - (
        text[chunks[-1].start :] == "after"
    )


@pytest.mark.parametrize("kind", ["uncased", "real"])
def test_a_word_that_would_be_one_unknown_token_gets_tokens(both: dict[str, Any], kind: str) -> None:
    tokenizer, judge = both[kind]
    word = "searching" * 555
    assert judge.encode(word, add_special_tokens=False).tokens == ["[UNK]"]
    chunks = list(Chunker(tokenizer, 64).chunks(word))
    hold(word, chunks, judge, 64)
    assert [chunk.unknown for chunk in chunks] == [0] * len(chunks)
    assert [chunk.splits_word for chunk in chunks] == [True] * (len(chunks) - 1) + [False]


@pytest.mark.parametrize("word", ["가" * 60, "각" * 100, "a" * 90 + "각" * 90], ids=["60", "100", "mixed"])
def test_a_word_that_grows_over_the_limit_when_decomposed_gets_tokens(real: Tokenizer, word: str) -> None:
    # 각 is three letters to BERT, so that 60 of them may be more than the 100 that a word can have.
    limit = 64
    chunks = list(Chunker(real, limit).chunks(f"one {word} two"))
    assert sum(chunk.unknown for chunk in chunks) == 0
    assert max(len(chunk.ids) for chunk in chunks) <= limit


@kinds
@pytest.mark.parametrize("text", ["", " ", "\n\n\t \r\n", "\u3000\u00a0"])
def test_white_space_makes_no_passage(both: dict[str, Any], kind: str, text: str) -> None:
    assert list(Chunker(both[kind][0], 16).chunks(text)) == []


@pytest.mark.parametrize("kind", ["uncased", "real"])
def test_a_text_of_zero_width_characters_is_one_passage_without_tokens(both: dict[str, Any], kind: str) -> None:
    tokenizer, judge = both[kind]
    text = "\u200b\u200d\ufeff" * 50
    [chunk] = Chunker(tokenizer, 16).chunks(text)
    assert (chunk.start, chunk.end, chunk.content) == (0, 150, 0)
    assert list(chunk.ids) == judge.encode("").ids


def test_three_million_characters_are_cut_quickly_and_in_bounds(real: Tokenizer, both: dict[str, Any]) -> None:
    line = "The river flows past the bank, where money is kept. It is one of three.\n"
    text = (line * 20 + "\n") * 2080
    assert len(text) > 2_990_000
    begun = time.perf_counter()
    chunks = list(Chunker(real, 256).chunks(text))
    assert time.perf_counter() - begun < 30
    covered = 0
    for chunk in chunks:
        assert not text[covered : chunk.start].strip() and len(chunk.ids) <= 256 and chunk.end > covered
        covered = chunk.end
    assert not text[covered:].strip()
    for chunk in chunks[::200]:
        assert list(chunk.ids) == both["real"][1].encode(text[chunk.start : chunk.end]).ids


def test_blocks_of_a_long_text_without_white_space_lose_nothing(
    bert: Tokenizer, both: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searcher.text.chunking.BLOCK", 50)
    for text in ["北京是中国的首都" * 40, "hello world. " * 40, "x" * 333, "one\n\ntwo three\n" * 30]:
        hold(text, list(Chunker(bert, 16).chunks(text)), both["uncased"][1], 16)


# Where passages end.


def test_a_text_that_fits_is_one_passage(bert: Tokenizer) -> None:
    text = "Hello world.\n\n# Test\n\nThe bank.\n"
    assert passages(Chunker(bert, 64), text) == [text.strip()]


def test_a_passage_ends_at_a_blank_line_before_a_sentence(bert: Tokenizer) -> None:
    text = "the river is near. we keep\n\nthe account open. the boat is tied to the bank"
    assert passages(Chunker(bert, 14), text) == [
        "the river is near. we keep", "the account open. the boat is tied to the bank",
    ]  # fmt: skip


def test_a_blank_line_too_near_the_start_gives_way_to_a_sentence(bert: Tokenizer) -> None:
    text = "hello\n\n" + "the water of the river flows near the bank. " + "we keep the account open. the boat"
    assert passages(Chunker(bert, 20), text) == [
        "hello\n\nthe water of the river flows near the bank. we keep the account open.", "the boat",
    ]  # fmt: skip


def test_a_passage_ends_at_a_sentence_before_a_line_and_a_word(bert: Tokenizer) -> None:
    text = "the river is near. we keep\nthe account open to the bank"
    assert passages(Chunker(bert, 10), text) == ["the river is near.", "we keep\nthe account open to the bank"]


def test_a_passage_ends_at_a_line_before_a_word(bert: Tokenizer) -> None:
    text = "the river is\nnear the bank and the boat is tied"
    assert passages(Chunker(bert, 8), text) == ["the river is", "near the bank and the boat", "is tied"]


def test_a_passage_ends_before_a_heading_when_it_is_half_full(bert: Tokenizer) -> None:
    text = "the river is near. we keep it\n\nwater\n\nthe account is open to the bank"
    start = text.index("water")
    assert passages(Chunker(bert, 14), text, sections=[(0, "River"), (start, "Water")]) == [
        "the river is near. we keep it", "water\n\nthe account is open to the bank",
    ]  # fmt: skip


def test_a_text_without_good_places_is_cut_between_words(bert: Tokenizer) -> None:
    assert passages(Chunker(bert, 6), "one two three one two three one") == ["one two three one", "two three one"]


def test_without_boundaries_every_passage_is_filled(bert: Tokenizer) -> None:
    text = "the river.\n\nwe keep the account open.\n\nthe boat is tied"
    chunks = list(Chunker(bert, 7, boundaries=False).chunks(text, sections=[(12, "We")]))
    assert [len(chunk.ids) for chunk in chunks] == [7, 7, 5]
    assert [text[chunk.start : chunk.end] for chunk in chunks] == [
        "the river.\n\nwe keep", "the account open.\n\nthe", "boat is tied",
    ]  # fmt: skip


def test_chinese_is_cut_at_its_full_stop(bert: Tokenizer) -> None:
    assert passages(Chunker(bert, 14), "北京是中国的首都。上海很大。") == ["北京是中国的首都。", "上海很大。"]


def test_a_passage_ends_at_every_break(bert: Tokenizer) -> None:
    text = "hello world\nthe bank\nriver"
    assert passages(Chunker(bert, 64), text, breaks=[12, 21]) == ["hello world", "the bank", "river"]


def test_overlap_starts_at_a_sentence_that_fits_in_it(bert: Tokenizer) -> None:
    text = "one two three. hello world. the river is near. we keep"
    assert passages(Chunker(bert, 14, overlap=5), text) == [
        "one two three. hello world. the river is near.", "the river is near. we keep",
    ]  # fmt: skip
    assert passages(Chunker(bert, 9, overlap=3), text) == [
        "one two three. hello world.", "hello world. the river is near", "river is near. we keep",
    ]  # fmt: skip


def test_a_cut_within_a_word_is_counted(bert: Tokenizer) -> None:
    chunks = list(Chunker(bert, 6).chunks("zxzxzxzxzx one"))
    assert [(chunk.start, chunk.end) for chunk in chunks] == [(0, 4), (4, 8), (8, 14)]
    assert [chunk.splits_word for chunk in chunks] == [True, True, False]


def test_unknown_tokens_are_counted(bert: Tokenizer) -> None:
    [chunk] = Chunker(bert, 16).chunks("hello 😀 world Ω")
    assert (chunk.content, chunk.unknown) == (4, 2)


def test_content_counts_neither_prompt_nor_special_tokens(bert: Tokenizer) -> None:
    [chunk] = Chunker(bert, 16, prompt="passage: ").chunks("hello world")
    assert (chunk.content, len(chunk.ids)) == (2, 6)


# Arguments.


@pytest.mark.parametrize(("limit", "prompt", "good"), [(5, "", 6), (0, "", 6), (8, "query: the world ", 14)])
def test_a_limit_without_room_is_refused_with_what_is_taken_and_the_least_that_is_good(
    bert: Tokenizer, limit: int, prompt: str, good: int
) -> None:
    with pytest.raises(BadValue, match=f"chunk tokens {limit} leave no room.*; good: {good} and more"):
        Chunker(bert, limit, prompt=prompt)
    Chunker(bert, good, prompt=prompt)


@pytest.mark.parametrize("overlap", [-1, 14, 100])
def test_an_overlap_as_long_as_a_passage_is_refused(bert: Tokenizer, overlap: int) -> None:
    with pytest.raises(BadValue, match=f"overlap {overlap} is not between 0 and 13"):
        Chunker(bert, 16, overlap)


# Cost.


class Counting:
    """A tokenizer that counts the characters it is given."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self.backend, self.characters = backend, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def encode_batch(self, texts: list[str], **rest: Any) -> Any:
        self.characters += sum(map(len, texts))
        return self.backend.encode_batch(texts, **rest)

    def encode_batch_fast(self, texts: list[str], **rest: Any) -> Any:
        self.characters += sum(map(len, texts))
        return self.backend.encode_batch_fast(texts, **rest)


@pytest.mark.parametrize(("kind", "most"), [("real", 1.05), ("uncased", 1.05), ("roberta", 2.2)])
@pytest.mark.parametrize("overlap", [0, 8])
def test_text_is_tokenised_once(folders: dict[str, Path], kind: str, most: float, overlap: int) -> None:
    counting = Counting(plain(folders[kind]))
    text = "The river bank is near, and we keep money in the other one. " * 800 + "\n\n" + "北京是中国的首都。" * 400
    chunks = list(Chunker(Tokenizer(counting), 64, overlap).chunks(text))  # type: ignore[arg-type]
    assert len(chunks) > 200
    repeated = sum(len(text[c.start : c.end]) for c in chunks) / len(text) - 1 if kind == "roberta" else 0
    assert counting.characters / len(text) <= most + repeated
