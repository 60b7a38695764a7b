"""What the process that reads sends: everything that a reader can give survives, and nothing else is believed."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from searcher.readers.wire import as_item, as_value
from searcher.records import Document, Failure, Note, Skipped

FULL = Document(
    source="a#1", text="the bank of the river", title="Bank", id="7", metadata={"n": [1, None, {"x": True}]},
    sections=((0, "A"), (9, "A > B")), breaks=(4, 9), first_line=3, kind="faq",
    places=((0, {"page": 1}), (9, {"page": 2, "label": "ii"})), payload={"node": [1.5, "x"]}, whole=True,
    vector=np.array([0.25, -1.5], np.float32),
)  # fmt: skip


@pytest.mark.parametrize(
    "item", [FULL, Document("a", ""), Failure("a", "why", "a#2"), Note("a", "why"), Skipped("a", "why", "a#2", True)]
)
def test_every_field_of_an_item_survives(item: Document | Failure) -> None:
    back = as_item(json.loads(json.dumps(as_value(item))))
    assert type(back) is type(item)
    for each in fields(item):
        sent, received = getattr(item, each.name), getattr(back, each.name)
        assert np.array_equal(sent, received) if each.name == "vector" else sent == received, each.name


def test_a_field_that_is_new_is_sent_too() -> None:
    unset = {each.name for each in fields(Document) if repr(getattr(FULL, each.name)) == repr(each.default)}
    assert unset == set()


@pytest.mark.parametrize(
    "bad", [{"whole": 1}, {"sections": ((9, "B"), (0, "A"))}, {"first_line": "3"}, {"breaks": (99,)}, {"title": 5}]
)
def test_nonsense_is_not_believed(bad: dict) -> None:
    with pytest.raises(ValueError):
        as_item(json.loads(json.dumps(as_value(replace(FULL, **bad)))))
