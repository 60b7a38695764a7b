"""Bytes → a message of the standard library, of which no number in a stranger's header makes an error."""

import re
from email import message_from_bytes, policy
from email.message import Message

__all__ = ["message_of"]

# The number of a piece of a parameter (name*12=…, RFC 2231 §3), in more digits than anybody has pieces. The library
# makes a number of it when the header is asked for anything, and Python makes none of thousands of digits.
PIECE = re.compile(rb"\*\d{10,}(?=\*?=)")


def message_of(data: bytes) -> Message:
    """A message and its parts, headers as they stand."""
    return message_from_bytes(PIECE.sub(b"", data) if PIECE.search(data) else data, policy=policy.compat32)
