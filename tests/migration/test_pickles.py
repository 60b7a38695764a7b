"""Pickles of strangers: what they hold comes out, nothing of them runs, whatever they would call is named."""

import array
import io
import os
import pickle
import pickletools
import struct
import sys
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher.errors import UnreadableFile
from searcher.migration.cleaning import cleaned
from searcher.migration.foreign import Item
from searcher.migration.pickles import Record, read_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def read(data: bytes, records: tuple[str, ...] = ()) -> Any:
    return read_pickle(io.BytesIO(data), "a.pkl", records)


# -- what is plain comes out


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
    | st.dates() | st.datetimes()
)  # fmt: skip
keys = st.text() | st.integers() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner)
        | st.sets(st.integers() | st.text()) | st.frozensets(st.text())
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150)
@given(values, st.sampled_from(PROTOCOLS))
def test_plain_values_of_any_protocol_come_out_as_pickle_gives_them(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert read(data) == pickle.loads(data) == value
    assert read(pickletools.optimize(data)) == value


def test_shared_and_self_holding_containers_come_out_so() -> None:
    shared: list[Any] = [1]
    value = {"a": shared, "b": shared}
    shared.append(value)
    out = read(pickle.dumps(value))
    assert out["a"] is out["b"] and out["a"][1] is out


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (OrderedDict(a=1, b=2), {"a": 1, "b": 2}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (deque([1, 2], 5), [1, 2]),
        (bytearray(b"\xff\0"), None),
        (date(2026, 1, 31), "2026-01-31"),
        (time(10, 5, 7, 9), "10:05:07.000009"),
        (datetime(2026, 1, 31, 10, 5, tzinfo=UTC), "2026-01-31T10:05:00+00:00"),
        (datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=-3), "BRT")), "2026-01-31T00:00:00-03:00"),
        (datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("UTC")), "2026-07-01T00:00:00+00:00"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Decimal("2.5"), 2.5),
        (PurePosixPath("/a/b"), "/a/b"),
        (Path("a/b"), "a/b"),
        (PureWindowsPath("C:\\a"), "C:\\a"),
        (np.float32(0.5), 0.5),
        (np.int64(-3), -3),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array([[1, 2], [3, 4]], dtype=">i2"), [[1, 2], [3, 4]]),
        (np.asfortranarray([[1.5, 2.0], [3.0, 4.0]]), [[1.5, 2.0], [3.0, 4.0]]),
        (np.datetime64("2026-01-31T10:00:00.123456789"), "2026-01-31T10:00:00.123456"),
        (np.array(["2026-01-31", "NaT"], dtype="M8[D]"), ["2026-01-31", None]),
        ({"x"}, ["x"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_known_values_come_out_as_metadata_would_store_them(value: Any, wanted: Any, protocol: int) -> None:
    item = cleaned(Item("a", "text", {"key": read(pickle.dumps(value, protocol))}))
    if wanted is None:
        assert (item.metadata, item.left_out) == ({}, ("key",))
    else:
        assert item.metadata == {"key": wanted}


# What pandas 3.1, pytz and dateutil made: Timestamps in ns, with a zone, in us; UTC, a summer day of Berlin; NaT, NA.
@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        ("8004954d000000000000008c1e70616e6461732e5f6c6962732e74736c6962732e74696d657374616d7073948c135f756e7069636b6c655f74696d657374616d70949394288a08150dcee378c88f184e4e4b0a749452942e", "2026-01-31T10:00:00.123456"),
        ("800495a0000000000000008c1e70616e6461732e5f6c6962732e74736c6962732e74696d657374616d7073948c135f756e7069636b6c655f74696d657374616d70949394288a0700448e50ab49064e8c086275696c74696e73948c07676574617474729493948c087a6f6e65696e666f948c085a6f6e65496e666f9493948c095f756e7069636b6c6594869452948c0d4575726f70652f4265726c696e944b01869452944b09749452942e", "2026-01-31T10:00:00+01:00"),
        ("8004954c000000000000008c1e70616e6461732e5f6c6962732e74736c6962732e74696d657374616d7073948c135f756e7069636b6c655f74696d657374616d70949394288a0700e82127ac49064e4e4b09749452942e", "2026-01-31T10:00:00"),
        ("8004953d000000000000008c086461746574696d65948c086461746574696d65949394430a07ea011f000000000000948c047079747a948c045f555443949394295294869452942e", "2026-01-31T00:00:00+00:00"),
        ("8004955a000000000000008c086461746574696d65948c086461746574696d65949394430a07ea07010c0000000000948c047079747a948c025f70949394288c0d4575726f70652f4265726c696e944d201c4d100e8c04434553549474945294869452942e", "2026-07-01T12:00:00+02:00"),
        ("80049548000000000000008c086461746574696d65948c086461746574696d65949394430a07ea011f000000000000948c0e646174657574696c2e747a2e747a948c05747a757463949394295294869452942e", "2026-01-31T00:00:00+00:00"),
        ("80049536000000000000008c1b70616e6461732e5f6c6962732e74736c6962732e6e617474797065948c0d5f6e61745f756e7069636b6c659493944e859452942e", None),
        ("80049511000000000000008c0670616e646173948c024e419493942e", None),
    ],
)  # fmt: skip
def test_moments_of_pandas_pytz_and_dateutil_come_out_without_them(made: str, wanted: str | None) -> None:
    item = cleaned(Item("a", "text", {"key": read(bytes.fromhex(made))}))
    assert (item.metadata, item.left_out) == ({"key": wanted}, ())


class Plain:
    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_of_a_class_that_the_caller_knows_is_an_inert_record(protocol: int) -> None:
    data = pickle.dumps([Plain(a=1, b=[Plain(c=2)])], protocol)
    (record,) = read(data, (".Plain",))
    assert isinstance(record, Record) and record.name == f"{Plain.__module__}.Plain"
    assert record.fields["a"] == 1 and record.fields["b"][0].fields == {"c": 2}
    assert cleaned(Item("a", "", {"key": record})).metadata == {"key": {"a": 1, "b": [{"c": 2}]}}
    with pytest.raises(UnreadableFile, match=r"would call .*\.Plain; nothing of it was run"):
        read(data)


# -- what is hostile is refused by name


class Calls:
    """Pickles itself as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def hostile(marker: Path) -> dict[str, tuple[bytes, str]]:
    """Name → a pickle that would leave a file when it is loaded, and what has to be named."""
    shell = f"{os.system.__module__}.system"
    command = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w').close()"
    found = {
        f"system, protocol {protocol}": (pickle.dumps(Calls(os.system, command), protocol), shell)
        for protocol in PROTOCOLS
    }
    found |= {
        "eval": (pickle.dumps({"a": [Calls(eval, code)]}), "builtins.eval"),
        "exec in a document": (pickle.dumps(({}, {0: Calls(exec, code)})), "builtins.exec"),
        "open": (pickle.dumps(Calls(open, str(marker), "w")), "open"),
        "getattr": (b"cbuiltins\ngetattr\n(cbuiltins\nlist\nS'__subclasses__'\ntR(tR.", "builtins.list.__subclasses__"),
        "getattr of a record": (
            b"cbuiltins\ngetattr\n(clangchain\nDocument\nS'__init__'\ntR(tR.",
            "langchain.Document.__init__",
        ),
        "INST": (f"(S'{command}'\nios\nsystem\n.".encode(), "os.system"),
        "OBJ": (f"(cos\nsystem\nS'{command}'\no.".encode(), "os.system"),
        "NEWOBJ": (
            b"\x80\x02cos\nsystem\nX" + struct.pack("<I", len(command)) + command.encode() + b"\x85\x81.",
            "os.system",
        ),
        "NEWOBJ_EX": (b"\x80\x04\x8c\x02os\x8c\x06system\x93)}\x92.", "os.system"),
        "a name by two texts": (b"\x80\x04\x8c\nsubprocess\x8c\x05Popen\x93\x8c\x01x\x85R.", "subprocess.Popen"),
        "a dotted name": (b"\x80\x04\x8c\x08builtins\x8c\x0elist.__class__\x93)R.", "builtins.list.__class__"),
        "a known class, called": (pickle.dumps(Calls(list, (1, 2))), "builtins.list"),
        "a known class's neighbour": (b"\x80\x04\x8c\x08datetime\x8c\x0bsys.modules\x93.", "datetime.sys.modules"),
        "extension registry": (b"\x80\x02\x82\x01.", "EXT1"),
        "persistent id": (b"Pos.system\n.", "PERSID"),
        "out of band": (b"\x80\x05\x97.", "NEXT_BUFFER"),
        "Python 2": (b"c__builtin__\neval\n(S'1'\ntR.", "builtins.eval"),
        "copyreg": (b"ccopyreg\n_reconstructor\n(cos\nsystem\ncbuiltins\nobject\nNtR.", "os.system"),
        "numpy's own pickles": (b"\x80\x04\x8c\x05numpy\x8c\x04load\x93)R.", "numpy.load"),
        "a numpy array of objects": (pickle.dumps(np.array([Calls(os.system, command)], dtype=object)), ""),
        "a name alone": (b"\x80\x04\x8c\x08builtins\x8c\x04list\x93.", "builtins.list"),
    }
    return found


HOSTILE = list(hostile(Path("marker")))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_by_what_it_would_call_and_nothing_runs(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "was here"
    data, called = hostile(marker)[name]
    modules = set(sys.modules)
    with pytest.raises(UnreadableFile) as caught:
        read(data, (".Document", ".InMemoryDocstore"))
    assert called in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not marker.exists()
    assert set(sys.modules) == modules


def test_pickle_itself_would_have_run_them(tmp_path: Path) -> None:
    marker = tmp_path / "was here"
    pickle.loads(hostile(marker)["eval"][0])
    assert marker.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"\x80\x04", b"\x80\x04.", b"\x80\x04K\x01", b"\x80\x04K\x01K\x02.", b"not a pickle", b"\x80\x04h\x05.",
        b"\x80\x04(K\x01t", b"\x80\x04u.", b"\x80\x04}K\x01a.", b"\x80\x04K\x01K\x02s.", b"\x80\x04]}K\x01e.",
        b"\x80\x04}(K\x01u.", b"\x80\x04}(]K\x01u.", b"\x80\x04K\x01}b.", b"\x80\x04\x8f(]\x90.", b"\x80\x04(((e.",
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fx.", b"\x80\x04\x8b\xff\xff\xff\x7fx.", b"\x80\x04X\x02\0\0\0\xff\xff.",
        b"\x80\x04cdatetime\ndate\n(K\x01tR.", b"\x80\x04cnumpy\ndtype\n(\x8c\x01OtR.", b"\x80\x04K\x01)R.",
        b"\x80\x04cuuid\nUUID\n)\x81}b.", b"Ix\n.", b"\x80\x04(t" * 3,
    ],
)  # fmt: skip
def test_what_is_no_whole_pickle_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_any_damage_gives_a_value_or_one_line() -> None:
    value = {"a": [1, 2.5, "text", None], "b": (date(2026, 1, 1), {"c"}), "d": np.float32(1)}
    data = pickle.dumps((value, {0: "x"}), 4)
    for at in range(len(data)):
        for byte in (data[at] ^ 1, data[at] ^ 0x80, 0x2E, 0x52, 0x28):
            damaged = data[:at] + bytes([byte]) + data[at + 1 :]
            try:
                cleaned(Item("a", "", {"key": read(damaged)}))
            except UnreadableFile as fault:
                assert "\n" not in str(fault)
        try:
            read(data[:at])
        except UnreadableFile as fault:
            assert "\n" not in str(fault)


# -- small pickles of what is large


def test_a_few_bytes_that_stand_for_more_than_any_memory_are_left_out() -> None:
    lists = (b"0](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(200))
    doubled = b"\x80\x04]\x94" + b"".join(lists) + b"."
    item = cleaned(Item("a", "text", {"bomb": read(doubled), "n": 1}))
    assert (item.metadata, item.left_out) == ({"n": 1}, ("bomb",))


def test_what_is_nested_deeper_than_python_can_follow_is_left_out_or_refused() -> None:
    deep = b"\x80\x04" + b"]" * 60_000 + b"a" * 59_999 + b"."
    item = cleaned(Item("a", "text", {"deep": read(deep), "n": 1}))
    assert (item.metadata, item.left_out) == ({"n": 1}, ("deep",))
    with pytest.raises(UnreadableFile):  # hashing it would end the process
        read(b"\x80\x04})" + b"\x85" * 60_000 + b"K\x01s.")


def test_a_value_that_holds_itself_is_left_out() -> None:
    held: list[Any] = []
    held.append(held)
    item = cleaned(Item("a", "text", {"self": read(pickle.dumps(held)), "n": 1}))
    assert (item.metadata, item.left_out) == ({"n": 1}, ("self",))


def test_numbers_of_thousands_of_digits_nan_and_bytes_are_left_out() -> None:
    metadata = read(
        pickle.dumps({"nan": float("nan"), "b": b"x", "big": 10**5000, "inf": [float("inf")], "long": 2**70})
    )
    item = cleaned(Item("a", "text", metadata))
    assert (item.metadata, item.left_out) == ({"long": str(2**70)}, ("nan", "b", "big", "inf"))
    assert cleaned(Item("a", "", {"row": read(pickle.dumps(array.array("i", [1]).tolist()))})).metadata == {"row": [1]}
