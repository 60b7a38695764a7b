"""The tokenizer: special tokens, pairs, unknown tokens, what tells two apart."""

from pathlib import Path

import pytest
from models import bert_tokenizer, save_bert, save_roberta
from transformers import AutoTokenizer

from searcher.errors import BadValue, ModelError
from searcher.text import Tokenizer, check_text


@pytest.fixture(scope="module")
def bert(tiny_bert: Path) -> Tokenizer:
    return Tokenizer.load(tiny_bert)


@pytest.fixture(scope="module")
def roberta_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_roberta(tmp_path_factory.mktemp("models") / "roberta")


def test_offsets_are_of_the_text_and_words_share_a_number(bert: Tokenizer) -> None:
    text = "Banks, 北京"
    [tokens] = bert.encode([text])
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)] == ["Bank", "s", ",", "北", "京"]
    assert tokens.words.tolist() == [0, 0, 1, 2, 3]
    assert bert.names(tokens.ids.tolist())[1:3] == ["##s", ","]
    part = tokens.slice(2, 4)
    assert (len(part), part.starts.tolist()) == (2, [5, 7])


def test_a_file_that_truncates_and_pads_does_neither(bert: Tokenizer) -> None:
    [tokens] = bert.encode(["one " * 100])
    assert len(tokens) == 100
    assert [len(ids) for ids in bert.encode_ids(["one", "one two"])] == [1, 2]


def test_wrap_puts_special_tokens_where_the_model_has_them(bert: Tokenizer, roberta_folder: Path) -> None:
    assert (bert.wrap([7, 8]), bert.special, bert.before) == ([2, 7, 8, 3], 2, 1)
    assert bert.wrap_pair([7, 8], [9]) == ([2, 7, 8, 3, 9, 3], [0, 0, 0, 0, 1, 1])
    assert (bert.special_in_pair, bert.between) == (3, 1)
    roberta = Tokenizer.load(roberta_folder)
    assert (roberta.wrap([7, 8]), roberta.special, roberta.before) == ([0, 7, 8, 2], 2, 1)
    assert roberta.wrap_pair([7, 8], [9]) == ([0, 7, 8, 2, 2, 9, 2], [0] * 7)
    assert (roberta.special_in_pair, roberta.between) == (4, 2)


@pytest.mark.parametrize("text", ["", "bank", "The river [SEP] bank", "😀 one"])
def test_wrapped_ids_are_those_of_transformers(roberta_folder: Path, text: str) -> None:
    tokenizer = Tokenizer.load(roberta_folder)
    expected = AutoTokenizer.from_pretrained(roberta_folder)(text).input_ids
    assert tokenizer.wrap(tokenizer.encode_ids([text])[0]) == expected


def test_unknown_and_longest_word_are_the_vocabularys(bert: Tokenizer, roberta_folder: Path) -> None:
    assert (bert.unknown, bert.longest_word, bert.splits_by_words) == (1, 100, True)
    roberta = Tokenizer.load(roberta_folder)
    assert (roberta.unknown, roberta.longest_word, roberta.splits_by_words) == (None, None, False)


def test_length_is_what_the_model_sees(bert: Tokenizer) -> None:
    assert [bert.length(word) for word in ("bank", "각", "café", "a\u200db")] == [4, 3, 4, 2]


def test_the_digest_tells_case_special_tokens_and_vocabulary_apart(tmp_path: Path, roberta_folder: Path) -> None:
    cased, bare = bert_tokenizer(lowercase=False), bert_tokenizer()
    bare.post_processor = None  # type: ignore[assignment]
    other = [Tokenizer(bert_tokenizer()), Tokenizer(cased), Tokenizer(bare), Tokenizer.load(roberta_folder)]
    assert len({tokenizer.digest for tokenizer in other}) == 4
    assert Tokenizer(bert_tokenizer(truncate_at=16)).digest == other[0].digest
    folder = save_bert(tmp_path / "model", layers=1)
    assert Tokenizer.load(folder).digest == other[0].digest
    assert Tokenizer.load(folder, lowercase=True).digest == other[0].digest  # it lowers the text itself


def test_a_broken_tokenizer_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a tokenizer: "):
        Tokenizer.load(tmp_path)


def test_a_folder_without_a_tokenizer_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match=r"no tokenizer in .*: neither tokenizer\.json nor vocab\.txt"):
        Tokenizer.load(tmp_path)


def test_check_text_names_the_lone_surrogate() -> None:
    assert check_text("fine 😀") == "fine 😀"
    with pytest.raises(BadValue, match=r"^the question holds a lone surrogate \(U\+DC80\) at character 4$"):
        check_text("abc\udc80", "the question")
