"""An index on Milvus: address.py says where, engine.py what it promises, layout.py how it is laid out there."""

from searcher.engines.milvus.address import SCHEME, Address

__all__ = ["SCHEME", "Address"]
