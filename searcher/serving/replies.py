"""Replies: what is found as JSON, written without a detour."""

import json
from typing import Any

from fastapi import Response
from pydantic_core import PydanticSerializationError, to_json

from searcher.places import stands
from searcher.records import Passage

__all__ = ["hits_of", "reply", "where"]


def reply(value: Any, status: int = 200) -> Response:
    """A value as JSON. A character that is none, as in the name of a file, is escaped as JSON has it."""
    try:
        body = to_json(value, inf_nan_mode="constants")  # in a fifth of the time
    except PydanticSerializationError:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(body, status, media_type="application/json")


def where(hit: Passage) -> dict[str, str]:
    """Where in its file a hit stands, in words."""
    return {"stands": stands(hit.source, *hit.answers_at)}


def hits_of(found: Any, stand: bool = False) -> dict[str, Any]:
    """The hits of a question, as `search --json` prints them. stand: each with where it stands, in words."""
    return {"hits": [hit.as_dict() | (where(hit) if stand else {}) for hit in found]}
