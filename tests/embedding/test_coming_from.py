"""docs/coming-from.md says the truth: every snippet of that page is run, and theirs compared with ours.

transformers and sentence-transformers are the originals. TF-Hub's models cannot be had offline and bert-as-service 1.10
needs TensorFlow 1: their snippets run against the stand-ins below, which compute the same with transformers.
"""

import ast
import re
import shlex
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models import make_sentence_transformer, save_bert, write_json
from transformers import AutoModel, AutoTokenizer

from searcher import Embedder

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
TOOLS = ("transformers by hand", "TF-Hub", "bert-as-service", "sentence-transformers")
# What stands there is run by tests/migration/test_page.py and tests/integrations/test_stores_page.py.
STORES = ("Stores of other tools", "Stores of frameworks")
DEFAULT_STRATEGY = "REDUCE_MEAN"
CUT = "were cut there"


@dataclass
class Pair:
    """What they wrote and what we write. `before`: their code that has to run first; `flags`: of bert-serving-start."""

    tool: str
    theirs: str
    ours: str
    before: str = ""
    flags: str = ""

    def __str__(self) -> str:
        return f"{self.tool}: {(self.flags or self.theirs).splitlines()[-1][:60]}"


@dataclass
class Section:
    """One `##` of the page: its fenced blocks in order, as (language, marker, code), and its tables' rows."""

    blocks: list[tuple[str, str, str]] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)


def sections(text: str) -> dict[str, Section]:
    """The page by its headings; what stands before the first one is under ""."""
    section = Section()
    found, table, opening = {"": section}, "", ("", "")
    code: list[str] | None = None
    for line in text.splitlines():
        if code is not None:
            if line == "```":
                section.blocks.append((*opening, "\n".join(code)))
                code = None
            else:
                code.append(line)
        elif line.startswith("```"):
            language, _, marker = line[3:].partition(" ")
            opening, code = (language, marker), []
        elif line.startswith("## "):
            section = found[line[3:]] = Section()
        elif line.startswith("|"):
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            table = table or cells[0]
            if table == "You wrote" and cells[0] != table and not cells[0].startswith("---"):
                section.rows.append((cells[0], cells[1]))
        else:
            table = ""
    return found


def pairs_of(tool: str, section: Section) -> Iterator[Pair]:
    """A section's blocks in twos, then its table; a row continues the first pair's script."""
    script, flags, waiting = "", "", None
    for language, marker, code in section.blocks:
        if language == "sh":
            flags = code
        elif marker == "theirs":
            assert waiting is None, f"two snippets of theirs with none of ours between, under {tool}"
            waiting = code
        elif marker == "ours":
            assert waiting is not None, f"a snippet of ours with none of theirs before it, under {tool}"
            yield Pair(tool, waiting, code, script, flags)
            script, waiting = script or waiting, None
    assert waiting is None, f"the last snippet of theirs under {tool} has none of ours after it"
    for theirs, ours in section.rows:
        wrote = re.match(r"`(.+?)`", theirs)
        ours = ours.strip("`")
        assert wrote, f"no code in the row {theirs!r}"
        if wrote[1].startswith("-"):
            yield Pair(tool, script, f"vectors = {ours}", "", f"bert-serving-start {wrote[1]}")
        else:
            yield Pair(tool, f"vectors = {wrote[1]}", f"vectors = {ours}", script, flags)


SECTIONS = sections(PAGE.read_text(encoding="utf-8"))
PAIRS = [pair for tool in TOOLS if tool in SECTIONS for pair in pairs_of(tool, SECTIONS[tool])]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of random models of six layers to stand for the models that the page names."""
    folder = tmp_path_factory.mktemp("named")
    shape: dict[str, Any] = {"layers": 6, "width": 24, "positions": 512, "truncate_at": None}
    plain = save_bert(folder / "plain", **shape)
    arctic = make_sentence_transformer(
        save_bert(folder / "arctic", seed=2, **shape),
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
        max_seq_length=512, prompts={"query": "Represent this sentence for searching relevant passages: "},
    )  # fmt: skip
    for model in (plain, arctic):
        settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 512}
        write_json(model / "tokenizer_config.json", settings)
    return {"bert-base-uncased": str(plain), "Snowflake/snowflake-arctic-embed-m": str(arctic)}


@cache
def bert(folder: str) -> tuple[Any, Any]:
    """transformers' model and tokenizer: the stand-ins' weights and words."""
    return AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def hidden_states(folder: str, batch: Any) -> Any:
    """transformers' outputs: what TF-Hub's and Google's BERT compute from the same weights."""
    with torch.no_grad():
        return bert(folder)[0](**batch, output_hidden_states=True)


class KerasLayer:
    """Stands for tensorflow_hub's: BERT's preprocessing (cut and padded to 128 tokens) or its encoder.

    pooled_output is tanh of a dense layer over [CLS]; encoder_outputs: the blocks' outputs; sequence_output the last.
    """

    folder = ""

    def __init__(self, address: str) -> None:
        assert address.startswith("https://tfhub.dev/tensorflow/bert_en_uncased_")
        self.preprocesses = "preprocess" in address

    def __call__(self, inputs: Any) -> Any:
        if self.preprocesses:
            tokenizer = bert(self.folder)[1]
            return tokenizer(inputs, padding="max_length", truncation=True, max_length=128, return_tensors="pt")
        out = hidden_states(self.folder, inputs)
        encoder_outputs = out.hidden_states[1:]
        pooled = torch.tanh(bert(self.folder)[0].pooler.dense(encoder_outputs[-1][:, 0])).detach()
        return {"pooled_output": pooled, "sequence_output": out.last_hidden_state, "encoder_outputs": encoder_outputs}


class BertClient:
    """Stands for bert-as-service 1.10's client and server, whose pooling is in its graph.py, lines 78 to 115."""

    folder, flags = "", ""

    def encode(self, texts: list[str]) -> Any:
        """The server's answer under `flags`, its layers counted from the first block."""
        words = shlex.split(self.flags)[1:]
        given: dict[str, list[str]] = {}
        for word in words:
            if re.match(r"-[a-z]", word):
                given[word] = values = []
            else:
                values.append(word)
        (limit,), (strategy,) = given.get("-max_seq_len", ["25"]), given.get("-pooling_strategy", [DEFAULT_STRATEGY])
        layers = [int(layer) for layer in given.get("-pooling_layer", ["-2"])]
        pairs = [tuple(text.split(" ||| ")) for text in texts]
        firsts, seconds = zip(*((*pair, None)[:2] for pair in pairs), strict=True)
        length = 512 if limit == "NONE" else int(limit)
        batch = bert(self.folder)[1](
            list(firsts), list(seconds) if any(seconds) else None, padding=True, truncation=True, max_length=length,
            return_tensors="pt", return_special_tokens_mask=True,
        )  # fmt: skip
        special = batch.pop("special_tokens_mask") * batch["attention_mask"]
        if "-mask_cls_sep" in given:
            batch["attention_mask"] -= special
        out = hidden_states(self.folder, batch)
        states = torch.cat([out.hidden_states[1:][layer] for layer in layers], -1)
        mask = batch["attention_mask"][:, :, None].float()
        mean, most = (states * mask).sum(1) / (mask.sum(1) + 1e-10), (states - (1 - mask) * 1e30).amax(1)
        last = batch["attention_mask"].sum(1) - 1
        return {
            "REDUCE_MEAN": mean, "REDUCE_MAX": most, "REDUCE_MEAN_MAX": torch.cat([mean, most], 1),
            "CLS_TOKEN": states[:, 0], "FIRST_TOKEN": states[:, 0], "CLS_POOLED": out.pooler_output,
            "SEP_TOKEN": states[torch.arange(len(last)), last], "LAST_TOKEN": states[torch.arange(len(last)), last],
            "NONE": states * mask,
        }[strategy].numpy()  # fmt: skip


@pytest.fixture(scope="module")
def left() -> dict[str, dict[str, Any]]:
    """The names that a section's script left, which the rows of its table go on from: each script runs once."""
    return {}


@pytest.fixture
def run(left: dict[str, dict[str, Any]], named: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs code of the page after its first block, in an empty folder; gives the names it left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(KerasLayer, "folder", named["bert-base-uncased"])
    monkeypatch.setattr(BertClient, "folder", named["bert-base-uncased"])
    stand_ins = {
        "tensorflow": {"constant": list}, "tensorflow_hub": {"KerasLayer": KerasLayer}, "tensorflow_text": {},
        "bert_serving": {}, "bert_serving.client": {"BertClient": BertClient},
    }  # fmt: skip
    for name, contents in stand_ins.items():
        module = types.ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    (setup,) = [code for _, marker, code in SECTIONS[""].blocks if marker == "names"]

    def run(code: str, flags: str = "", before: str = "") -> dict[str, Any]:
        monkeypatch.setattr(BertClient, "flags", flags)
        if before not in left:
            names: dict[str, Any] = {}
            execute(setup, names)
            execute(before, names)
            left[before] = names
        names = dict(left[before])
        execute(code, names)
        return names

    def execute(code: str, names: dict[str, Any]) -> None:
        for name, folder in named.items():
            code = code.replace(f'"{name}"', f'"{folder}"')
        exec(compile(code, "coming-from.md", "exec"), names)

    return run


def rows(vectors: Any) -> list[np.ndarray]:
    """Vectors or token matrices as arrays."""
    return [np.asarray(row) for row in vectors]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_ours_gives_the_vectors_that_theirs_gave(pair: Pair, run: Any) -> None:
    theirs = run(pair.theirs, pair.flags, pair.before)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = run(pair.ours)
    said = [str(warning.message) for warning in caught]
    assert [CUT in text for text in said] == [True] * ("max_seq_length=25" in pair.ours), said
    if "found" in theirs:
        assert [key for key, _ in ours["found"]] == [key for key, _ in theirs["found"]]
        np.testing.assert_allclose([s for _, s in ours["found"]], [s for _, s in theirs["found"]], atol=1e-5)
        return
    mine, wanted = rows(ours["vectors"]), rows(theirs["vectors"])
    assert [row.shape for row in mine] == [row.shape for row in wanted]
    assert all(np.abs(row).max() > 0.01 for row in wanted)
    for row, other in zip(mine, wanted, strict=True):
        np.testing.assert_allclose(row, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_a_pair_of_snippets_and_a_table(tool: str) -> None:
    markers = [marker for _, marker, _ in SECTIONS[tool].blocks]
    assert "theirs" in markers and "ours" in markers
    assert len(SECTIONS[tool].rows) >= 3


def test_no_block_of_the_page_escapes_the_test() -> None:
    blocks = [
        (tool, language, marker)
        for tool, section in SECTIONS.items()
        for language, marker, _ in section.blocks
        if tool not in STORES
    ]
    assert [block for block in blocks if block[0] not in TOOLS] == [("", "python", "names")]
    assert {block[1:] for block in blocks if block[0] in TOOLS} == {
        ("python", "theirs"), ("python", "ours"), ("sh", "theirs"),
    }  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_ours_is_at_most_two_lines_besides_imports(pair: Pair) -> None:
    imports = (ast.Import, ast.ImportFrom)
    lines = {
        line
        for node in ast.parse(pair.ours).body
        if not isinstance(node, imports)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    assert 1 <= len(lines) <= 2


def test_snippets_that_differ_are_told_apart(run: Any) -> None:
    wrong = run('vectors = Embedder("bert-base-uncased", layers=-2, normalize=False).embed(texts)')["vectors"]
    right = run(SECTIONS["transformers by hand"].blocks[0][2])["vectors"].numpy()
    assert not np.allclose(wrong, right, atol=1e-3)


def test_mask_cls_sep_has_no_equal_as_the_page_says(run: Any, named: dict[str, str]) -> None:
    script = SECTIONS["bert-as-service"].blocks[1][2]
    theirs = run(script, "bert-serving-start -max_seq_len NONE -mask_cls_sep")["vectors"]
    model, texts = named["bert-base-uncased"], run("")["texts"]
    ours = Embedder(model, pooling="REDUCE_MEAN", special_tokens=False, normalize=False).embed(texts)
    assert np.abs(theirs - ours).max() > 0.01


def test_none_is_bert_as_services_matrix_without_its_padding(run: Any, named: dict[str, str]) -> None:
    script = SECTIONS["bert-as-service"].blocks[1][2]
    theirs = run(script, "bert-serving-start -max_seq_len NONE -pooling_strategy NONE")["vectors"]
    ours = Embedder(named["bert-base-uncased"], pooling="NONE", normalize=False).embed(run("")["texts"])
    for padded, matrix in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(matrix, padded[: len(matrix)], atol=1e-5)
        assert not padded[len(matrix) :].any()


def test_every_pooling_in_the_table_of_names_is_one_of_ours(named: dict[str, str]) -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Names")[2]
    ours = re.findall(r"\| `(\w+)` \|$", table, re.MULTILINE)
    assert {"mean", "max", "cls", "sep", "pooler", "none"} <= set(ours)
    for name in set(ours) - {"max_seq_length"}:
        assert Embedder(named["bert-base-uncased"], pooling=name).pooling.name == name
