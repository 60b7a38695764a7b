"""tokenizer_config.json counts as it does for AutoTokenizer; special tokens written in a text; odd vocabularies."""

import json
import shutil
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from models import WORDS, bert_vocabulary, save_bert, save_roberta, write_json
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, processors
from transformers import AutoTokenizer

from searcher.errors import ModelError
from searcher.text import Chunker, Tokenizer

TEXTS = [
    "", "The Café École river", "hello   world [MASK] <mask> <pad> [PAD] </s> x", "北京 is big, isn't it? ``quoted''",
    "A\tB\nC  ", " lead", "<ent>river<ent> NEW", "ＦＵＬＬ width ǅ",
]  # fmt: skip
OURS = {word: number for number, word in enumerate(dict.fromkeys(bert_vocabulary()))}
FAIRSEQ = {word: number for number, word in enumerate(["<s>", "<pad>", "</s>", "<mask>", *OURS])}
FOUR = ["<s>", "<pad>", "</s>", "<unk>"]


def pieces(*special: str) -> list[tuple[str, float]]:
    """A vocabulary of sentencepiece's kind: whole words, and every letter."""
    letters = dict.fromkeys(string.printable.strip() + "éèï北京ＦＵＬ")
    found = [(token, 0.0) for token in special] + [("▁", -2.0)]
    found += [(f"▁{word}", -3.0 - number / 100) for number, word in enumerate(WORDS)]
    return found + [(letter, -5.0 - number / 100) for number, letter in enumerate(letters)]


def bytes_of(folder: Path, names: dict[str, str]) -> dict[str, Any]:
    """Vocabulary and merges of RoBERTa's kind, its special tokens under other names."""
    spec = json.loads((save_roberta(folder) / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    vocabulary = {names.get(token, token): number for token, number in spec["vocab"].items()}
    return {"vocab": vocabulary, "merges": [tuple(pair) for pair in spec["merges"]]}


BERTS = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
# model type → the class of transformers and what it is made of
KINDS: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "bert": ("BertTokenizer", lambda folder: {"vocab": OURS}),
    "distilbert": ("BertTokenizer", lambda folder: {"vocab": OURS}),
    "mpnet": ("MPNetTokenizer", lambda folder: {"vocab": FAIRSEQ}),
    "roberta": ("RobertaTokenizer", lambda folder: bytes_of(folder, {})),
    "luke": ("LukeTokenizer", lambda folder: bytes_of(folder, {})),
    "deberta": ("DebertaTokenizer", lambda folder: bytes_of(folder, BERTS)),
    "deberta-v2": ("DebertaV2Tokenizer", lambda folder: {"vocab": pieces(*BERTS.values())}),
    "albert": ("AlbertTokenizer", lambda folder: {"vocab": pieces("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")}),
    "fnet": ("FNetTokenizer", lambda folder: {"vocab": pieces("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")}),
    "xlm-roberta": ("XLMRobertaTokenizer", lambda folder: {"vocab": pieces(*FOUR, "<mask>")}),
    "camembert": (
        "CamembertTokenizer",
        lambda folder: {"vocab": pieces("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "<mask>")},
    ),
    "big_bird": ("BigBirdTokenizer", lambda folder: {"vocab": pieces("<pad>", "</s>", "<s>", "<unk>", "[CLS]", "[SEP]", "[MASK]")}),
    "xlnet": ("XLNetTokenizer", lambda folder: {"vocab": pieces("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eop>", "<eod>")}),
}  # fmt: skip
SAID: list[dict[str, Any]] = [
    {}, {"do_lower_case": True}, {"do_lower_case": False}, {"strip_accents": False}, {"strip_accents": True},
    {"strip_accents": None, "do_lower_case": False}, {"tokenize_chinese_chars": False}, {"clean_text": False},
    {"add_prefix_space": True}, {"add_prefix_space": False}, {"keep_accents": True}, {"split_by_punct": True},
    {"split_special_tokens": True}, {"cls_token": "river"}, {"sep_token": "<new>"}, {"unk_token": "river"},
    {"pad_token": "<ent>"}, {"additional_special_tokens": ["<ent>"]}, {"extra_special_tokens": ["<ent>"]},
    {"extra_special_tokens": {"ent_token": "<ent>"}}, {"truncation_side": "left"}, {"added_tokens_decoder": "<ent>"},
]  # fmt: skip


@pytest.fixture(params=KINDS, scope="module")
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer of an architecture as transformers saves it."""
    if int(transformers.__version__.partition(".")[0]) < 5:
        pytest.skip("transformers 4 makes its tokenizers out of other things")
    folder, (name, made_of) = tmp_path_factory.mktemp("tokenizers"), KINDS[request.param]
    getattr(transformers, name)(**made_of(folder / "roberta")).save_pretrained(folder / "saved")
    write_json(folder / "saved" / "config.json", {"model_type": request.param})
    return folder / "saved"


@pytest.mark.parametrize("said", SAID, ids=str)
def test_ids_pairs_and_the_side_of_cutting_are_those_of_autotokenizer(
    saved: Path, tmp_path: Path, said: dict[str, Any]
) -> None:
    folder = shutil.copytree(saved, tmp_path / "model")
    if "added_tokens_decoder" in said:
        said = {"added_tokens_decoder": _with(Backend.from_file(str(folder / "tokenizer.json")), "<ent>")}
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")) | said
    write_json(folder / "tokenizer_config.json", config)
    try:
        theirs = AutoTokenizer.from_pretrained(folder)
    except Exception:  # transformers itself cannot: then we do not guess
        with pytest.raises(ModelError, match=rf"says {next(iter(said))} .*, unlike its tokenizer\.json: ") as caught:
            Tokenizer.load(folder)
        assert "\n" not in str(caught.value)
        return
    ours = Tokenizer.load(folder)
    assert [ours.wrap(ids) for ids in ours.encode_ids(TEXTS)] == [theirs(text)["input_ids"] for text in TEXTS]
    pair = theirs("the river", "bank", return_token_type_ids=True)
    assert ours.wrap_pair(*ours.encode_ids(["the river", "bank"])) == (pair["input_ids"], pair["token_type_ids"])
    alone = theirs("the river", return_token_type_ids=True)["token_type_ids"]
    assert (ours.segments(len(alone)) or [0] * len(alone)) == alone
    assert ours.cut == theirs.truncation_side


def _with(backend: Backend, token: str) -> dict[str, Any]:
    """The tokens of a backend as `added_tokens_decoder` has them, and one more."""
    names = ("content", "lstrip", "rstrip", "normalized", "single_word", "special")
    told = {str(i): {name: getattr(t, name) for name in names} for i, t in backend.get_added_tokens_decoder().items()}
    return told | {"999": {"content": token, "lstrip": True} | dict.fromkeys(names[2:], False)}


@pytest.mark.parametrize(
    "said",
    [{"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}, {"cls_token": "[MASK]"}],
    ids=str,
)
@pytest.mark.parametrize("name", ["BertTokenizer", "PreTrainedTokenizerFast"])
def test_whether_a_setting_counts_depends_on_the_class_as_in_transformers(
    tmp_path: Path, name: str, said: dict[str, Any]
) -> None:
    folder = save_bert(tmp_path / "model", layers=1)
    alone = Tokenizer.load(folder)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": name} | said)
    ours, theirs = Tokenizer.load(folder), AutoTokenizer.from_pretrained(folder)
    theirs.backend_tokenizer.no_truncation()
    theirs.backend_tokenizer.no_padding()
    ids = [ours.wrap(ids) for ids in ours.encode_ids(TEXTS)]
    assert ids == [theirs(text)["input_ids"] for text in TEXTS]
    assert (ours.digest == alone.digest) == (ids == [alone.wrap(own) for own in alone.encode_ids(TEXTS)])


def test_tokens_that_only_tokenizer_config_adds_change_the_digest(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "model", layers=1)
    before = Tokenizer.load(folder)
    write_json(
        folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "additional_special_tokens": ["<ent>"]}
    )
    after = Tokenizer.load(folder)
    assert after.digest != before.digest
    assert after.names(after.encode_ids(["<ent> river"])[0]) == ["<ent>", "river"]


def test_older_folders_name_their_tokens_in_files_of_their_own(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "model", layers=1)
    write_json(folder / "special_tokens_map.json", {"cls_token": "[CLS]", "additional_special_tokens": ["<ent>"]})
    ours, theirs = Tokenizer.load(folder), AutoTokenizer.from_pretrained(folder)
    assert ours.names(ours.encode_ids(["<ent> river"])[0]) == theirs.tokenize("<ent> river", truncation=False)


@pytest.mark.parametrize("said", [[], ["list"], "text", {"truncation_side": "middle"}], ids=str)
def test_a_tokenizer_config_that_is_none_is_one_clear_line(tmp_path: Path, said: object) -> None:
    folder = save_bert(tmp_path / "model", layers=1)
    write_json(folder / "tokenizer_config.json", said)
    with pytest.raises(ModelError, match=r"tokenizer_config\.json (holds|says)") as caught:
        Tokenizer.load(folder)
    assert "\n" not in str(caught.value)


# Special tokens written in a text.

LITERALS = ["<pad>", "[PAD]", "[MASK]", "</s>", "<s>", "[CLS]", "[SEP]", "<mask>", "[UNK]", "<unk>"]


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("literal", LITERALS)
def test_a_special_token_in_a_text_loses_nothing_of_it(tmp_path: Path, kind: str, literal: str) -> None:
    folder = {"bert": save_bert, "roberta": save_roberta}[kind](tmp_path / kind)
    tokenizer = Tokenizer.load(folder)
    for text in (literal, f"river {literal} bank", f"{literal}{literal} hello", f"hello  {literal}\nworld {literal}"):
        [tokens] = tokenizer.encode([text])
        covered = {place for a, b in zip(tokens.starts, tokens.ends, strict=True) for place in range(a, b)}
        assert {place for place, letter in enumerate(text) if letter.strip()} <= covered
        chunks = list(Chunker(tokenizer, 12).chunks(f"{text} {text} {text}"))
        assert "".join("".join(chunk for chunk in text.split()) for _ in range(3)) == "".join(
            "".join(f"{text} {text} {text}"[chunk.start : chunk.end].split()) for chunk in chunks
        )


# Vocabularies.


def test_a_byte_level_vocabulary_without_the_letter_a_has_its_special_tokens(tmp_path: Path) -> None:
    letters = [letter for letter in pre_tokenizers.ByteLevel.alphabet() if letter.lower() not in "abc"]
    vocabulary = {token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *sorted(letters)])}
    backend = Backend(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer = Tokenizer(backend)
    assert (tokenizer.before, tokenizer.special, tokenizer.special_in_pair, tokenizer.between) == (1, 2, 4, 2)
    assert tokenizer.wrap([7]) == [0, 7, 2]
    assert tokenizer.wrap_pair([7], [8, 9]) == ([0, 7, 2, 2, 8, 9, 2], [0] * 7)
    assert backend.encode("dog").ids == tokenizer.wrap(tokenizer.encode_ids(["dog"])[0])


def test_a_vocabulary_of_one_word_will_do(tmp_path: Path) -> None:
    backend = Backend(models.WordLevel({"北京": 0, "[S]": 1}))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(single="[S] $A", special_tokens=[("[S]", 1)])
    assert Tokenizer(backend).wrap([0]) == [1, 0]


def test_a_vocabulary_without_any_token_is_one_clear_line() -> None:
    with pytest.raises(ModelError, match="makes no tokens of any text"):
        _ = Tokenizer(Backend(models.WordLevel({}))).special


# A prompt.


def test_a_texts_own_tokens_are_found_by_their_place_behind_the_prompt(tmp_path: Path) -> None:
    bert, roberta = Tokenizer.load(save_bert(tmp_path / "bert")), Tokenizer.load(save_roberta(tmp_path / "roberta"))
    for tokenizer, prompt, text in [
        (bert, "search: ", "river bank"), (bert, "ri", "ver bank"), (bert, "", "river bank"), (bert, "x ", ""),
        (roberta, "question: ", "river bank"), (roberta, "the ri", "ver bank"),
    ]:  # fmt: skip
        [(before, own)] = tokenizer.behind(prompt, [text])
        [whole] = tokenizer.encode([prompt + text])
        assert [*before, *own.ids.tolist()] == whole.ids.tolist()
        spans = [text[a:b].strip() for a, b in zip(own.starts, own.ends, strict=True)]
        assert "".join(spans) == "".join(text.split())
    [(before, own)] = bert.behind("ri", ["ver bank"])
    assert (before, bert.names(own.ids.tolist()), own.starts.tolist()) == ([], ["river", "bank"], [0, 4])


def test_a_word_that_a_vocabulary_has_no_token_for_at_all_is_one_clear_line() -> None:
    backend = Backend(models.WordPiece({"river": 0}, unk_token="[UNK]"))
    with pytest.raises(ModelError, match=r"tokenizer fails: WordPiece error: Missing \[UNK\]"):
        Tokenizer(backend).encode(["bank"])
