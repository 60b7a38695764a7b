"""Values of Excel's cells that are pictures: the member of each, along the chain of [MS-XLSX] 2.2.4.10 and 2.3.6."""

from collections.abc import Iterator

from searcher.readers.parsers.zipped import Archive, attribute

__all__ = ["rich_pictures"]

KIND = "XLRICHVALUE"
PICTURE = "_rvRel:LocalImageIdentifier"  # in the structure of a value: here stands the number of a relation


def rich_pictures(archive: Archive, main: str) -> dict[int, str]:
    """Members of pictures by the number of the value, from 1, that cells name in their attribute "vm"."""
    metadata = next(archive.trees(main, "sheetMetadata"), None)
    if metadata is None:
        return {}
    kinds = [attribute(kind, "name") for kind in metadata.iter("metadataType")]
    future = (each for each in metadata.iter("futureMetadata") if attribute(each, "name") == KIND)
    numbers = [attribute(each.find(".//rvb"), "i") for kind in future for each in kind.iterchildren("bk")]
    values = [value for root in archive.trees(main, "rdRichValue") for value in root.iter("rv")]
    structures = [
        [attribute(key, "n") for key in structure.iter("k")]
        for root in archive.trees(main, "rdRichValueStructure")
        for structure in root.iter("s")
    ]
    members = list(_members(archive, main))
    found = {}
    for number, block in enumerate(metadata.iterfind("valueMetadata/bk"), 1):
        for record in block.iter("rc"):
            try:
                if kinds[int(record.get("t")) - 1] == KIND:
                    value = values[int(numbers[int(record.get("v"))] or "")]
                    key = structures[int(value.get("s"))].index(PICTURE)
                    found[number] = members[int(value.findall("v")[key].text)]
            except (IndexError, TypeError, ValueError):  # a number that leads nowhere, or to another kind of value
                continue
    return found


def _members(archive: Archive, main: str) -> Iterator[str]:
    """What the relations of values lead to, in their order."""
    for name in archive.related(main, "richValueRel"):
        relations = archive.relations(name)
        for relation in archive.xml(name).iter("rel"):
            yield relations.get(attribute(relation, "id") or "", ("", ""))[1]
