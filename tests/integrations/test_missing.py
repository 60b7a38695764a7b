"""Where a framework is not installed its door says in a line what to install."""

import importlib
import sys

import pytest

DOORS = {
    "langchain": ("langchain_core", "langchain-core", "langchain"),
    "llama_index": ("llama_index.core", "llama-index-core", "llama-index"),
    "haystack": ("haystack", "haystack-ai", "haystack"),
    "haystack_components": ("haystack", "haystack-ai", "haystack"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_missing_framework_is_named_with_its_extra(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, named, extra = DOORS[door]
    for name in [
        each
        for each in sys.modules
        if each == package or each.startswith(f"{package}.") or each.startswith("searcher.integrations")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError) as caught:
        importlib.import_module(f"searcher.integrations.{door}")
    assert str(caught.value).endswith(f"needs {named}: pip install 'searcher[{extra}]'")
    assert "\n" not in str(caught.value)
