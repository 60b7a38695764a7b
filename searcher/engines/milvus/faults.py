"""Why a server was not reached, or does not do what it is asked: in a line, and whether to ask again."""

import base64
import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from searcher.engines.milvus.address import Access, Address
from searcher.errors import IndexUnavailable, SearcherError

__all__ = ["Denied", "Unmade", "late", "passes", "raised", "told"]

# By Milvus' own numbers: not ready, unavailable, too many requests, a limit of the rate, not yet loaded, no channel, no
# segment, no node. All that is asked here may be asked twice.
PASSING = {1, 2, 4, 8, 101, 103, 500, 501, 503, 600, 601, 602, 901, 902, 903, 904}
WAITING, LATE = ("UNAVAILABLE", "ABORTED"), "DEADLINE_EXCEEDED"  # by gRPC's names
# What a proxy says, under a number that stands for anything, when it lost another process of its cluster: until it
# hears of that it goes on asking the dead one. Go's words of a connection.
LOST = r"rpc error: code = (?:Unavailable|Canceled)|empty grpc client|connection re(?:fused|set)"
CLOSED = r"Socket closed|Connection reset|Broken pipe"
MOST = 300  # characters of what a server says

TOKEN = "good: user:password, or an API key, of somebody whom it knows"
CA = "good: $SEARCHER_MILVUS_CA names a file in PEM with the certificate of whoever signed it"
OWN = "good: $SEARCHER_MILVUS_CERT and _KEY name files in PEM of a certificate that it trusts"
NAME = "good: a name that is in it, in the address or in $SEARCHER_MILVUS_SERVER_NAME"
DATABASE = "good: $SEARCHER_MILVUS_DATABASE is one that is there, or empty"

# What is written in a fault → what it means. {0}: the first group, or all; host, port, database: as they were given.
LASTING = {
    r"missing authorization": f"it asks for a password, and $SEARCHER_MILVUS_TOKEN is empty; {TOKEN}",
    r"^UNAUTHENTICATED|auth check failure": f"it does not take what is in $SEARCHER_MILVUS_TOKEN; {TOKEN}",
    r"^PERMISSION_DENIED: (.*)": "the user in $SEARCHER_MILVUS_TOKEN may not do that: {0}",
    r"VERIFY_FAILED: certificate (has expired|is not yet valid)": "its certificate {0}; good: one that is valid now",
    r"VERIFY_FAILED: ([^:]*)": f"its certificate is not trusted: {{0}}; {CA}",
    r"Hostname Verification Check failed": f"its certificate is for other names than {{host}}; {NAME}",
    r"WRONG_VERSION_NUMBER": "it has no TLS; good: an address with http://",
    r"Unwrap failed|CERTIFICATE_REQUIRED|ALERT_\w*(?:_CA|CERTIFICATE)": f"it takes no TLS without a certificate; {OWN}",
    r"database not found|database:.* not found": f"there is no database {{database!r}}; {DATABASE}",
}
PASSED = {
    r"errors? resolving|lookup (?:error|failed)|DNS": "no machine of the name {host} is found",
    r"Connection refused": "nobody answers at port {port}",
    r"nreachable|No route|timed out": "{host} cannot be reached: {0}",
    f"^{LATE}": "there was no answer in time",
    LOST: "one of its processes does not answer the others",
}


class Denied(IndexUnavailable):
    """The user may not do that."""


class Unmade(IndexUnavailable):
    """A collection has not all that it was to have: whoever made it was stopped in between."""


KINDS = {r"^PERMISSION_DENIED": Denied, r"no vector index|^index not found": Unmade}


def raised() -> tuple[type[Exception], ...]:
    """What a call to a server raises. ImportError without pymilvus."""
    with _unheard():
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException
    return MilvusException, RpcError


def passes(fault: BaseException, address: Address) -> bool:
    """Whether asking again may help."""
    said = _said(fault)
    if any(re.search(pattern, said) for pattern in LASTING):
        return False
    if re.search(CLOSED, said) and _is_encrypted(address):
        return False
    code: Any = getattr(fault, "code", None)
    return bool(
        getattr(fault, "retriable", False) or code in PASSING or said.startswith(WAITING) or re.search(LOST, said)
    )


def late(fault: BaseException) -> bool:
    """Whether it is that there was no answer in the time that the call had."""
    return _said(fault).startswith(LATE)


def told(fault: BaseException, address: Address, access: Access) -> SearcherError:
    """What went wrong, in a line that holds no token."""
    said = _said(fault)
    if address.is_lite:
        return _of_lite(said, address)
    kind = next((own for pattern, own in KINDS.items() if re.search(pattern, said)), IndexUnavailable)
    return kind(f"{address}: {_hidden(_meaning(said, address, access), access)}")


def _meaning(said: str, address: Address, access: Access) -> str:
    """What a fault means, else what was said."""
    host, port = address.host_and_port
    names = {"host": host, "port": port, "database": access.database}
    for pattern, line in (LASTING | PASSED).items():
        if found := re.search(pattern, said):
            return line.format(*(found.groups() or [found[0]]), **names)
    if re.search(CLOSED, said) and _is_encrypted(address):
        return "it has TLS; good: an address with https://"
    return said[:MOST]


def _said(fault: BaseException) -> str:
    """What a fault says, in a line: where gRPC is behind it, the name of its code and its own words."""
    from grpc import RpcError

    seen, behind = set[int](), fault
    while not isinstance(behind, RpcError) and behind.__cause__ is not None and id(behind) not in seen:
        seen.add(id(behind))
        behind = behind.__cause__
    if isinstance(behind, RpcError) and hasattr(behind, "details"):
        return " ".join(f"{behind.code().name}: {behind.details()}".split())
    return " ".join(str(getattr(fault, "message", "") or fault).split())


def _of_lite(said: str, address: Address) -> SearcherError:
    if "milvus-lite is required" in said:
        return SearcherError(f"the engine {address} needs milvus-lite: pip install milvus-lite")
    if "local milvus" in said:
        advice = "Milvus Lite serves one process at a time, and only folders of its own"
        return IndexUnavailable(f"{address.uri} cannot be opened; {advice}")
    return IndexUnavailable(f"{address}: {said[:MOST]}")


def _hidden(line: str, access: Access) -> str:
    """A line without the token, nor the password in it, whatever way it may stand there."""
    token = access.token
    for secret in (base64.b64encode(token.encode()).decode(), token, token.partition(":")[2]):
        line = line.replace(secret, "…") if secret else line
    return line


def _is_encrypted(address: Address) -> bool:
    """Whether a server that was asked without TLS has it."""
    if address.is_lite or address.has_tls:
        return False
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is said to it
    try:
        with (
            socket.create_connection(address.host_and_port, timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=address.host_and_port[0]),
        ):
            return True
    except OSError:
        return False


@contextmanager
def _unheard() -> Iterator[None]:
    """gRPC, which asks once how much it is to write to stderr, hears nothing: a fault is told in a line of ours."""
    name, own = "GRPC_VERBOSITY", os.environ.get("GRPC_VERBOSITY")
    os.environ[name] = own or "NONE"
    try:
        yield
    finally:
        if own is None:
            del os.environ[name]
