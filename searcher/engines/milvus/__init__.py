"""Milvus: how values are entered there so that a filter can be asked of it, and filters as its expressions."""
