"""Where an index on Milvus is: `milvus:URI[#collection]`, and what the environment says of how to get there."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from searcher.errors import BadValue, UnknownName
from searcher.system import absolute, number_of, whole_number_of

__all__ = ["SCHEME", "Access", "Address"]

SCHEME = "milvus"
COLLECTION = "searcher"
GOOD = "good: milvus:http://HOST:19530#COLLECTION, or milvus:FILE.db for Milvus Lite"
LEVELS = ("Strong", "Bounded", "Session", "Eventually")
DEADLINE = 60.0


@dataclass(frozen=True)
class Address:
    """uri: of a server, or the absolute path of a Milvus Lite folder. collection: names the index there."""

    uri: str
    collection: str = COLLECTION

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read `milvus:URI[#collection]`. BadValue, which never repeats a password."""
        uri, _, collection = text.removeprefix(f"{SCHEME}:").partition("#")
        collection = collection or COLLECTION
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", collection):
            raise BadValue(f"a collection is {collection!r:.80}; good: letters, digits and _, no digit first")
        if "://" not in uri:
            if not uri.endswith(".db"):
                raise BadValue(f"engine {text!r:.200} names neither a server nor a file that ends in .db; {GOOD}")
            return cls(absolute(os.path.expanduser(uri)), collection)  # noqa: PTH111 - a URI is a text
        try:
            parts = urlsplit(uri)
            parts.port  # noqa: B018 - which is looked at only now
        except ValueError as fault:
            raise BadValue(f"engine {text!r:.200} is no address of a server: {fault}; {GOOD}") from None
        if parts.username is not None or parts.password is not None:
            raise BadValue("an engine's address holds no password; put user:password into $SEARCHER_MILVUS_TOKEN")
        if parts.scheme not in ("http", "https", "tcp") or not parts.hostname:
            raise BadValue(f"engine {text!r:.200} is no address of a server; {GOOD}")
        return cls(uri, collection)

    @property
    def is_lite(self) -> bool:
        """Whether it is Milvus Lite in this process, not a server."""
        return "://" not in self.uri

    @property
    def has_tls(self) -> bool:
        """Whether it is spoken to with TLS."""
        return urlsplit(self.uri).scheme == "https"

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Of a server; the port that pymilvus takes where none is said."""
        parts = urlsplit(self.uri)
        return parts.hostname or "localhost", parts.port or (443 if self.has_tls else 19530)

    def __str__(self) -> str:
        return f"{SCHEME}:{self.uri}#{self.collection}"


@dataclass(frozen=True, repr=False)
class Access:
    """How a server is reached and read. deadline: seconds for a call, all its retries included.

    tls: what is said of it, as in `tls.options`. No `repr`: the token is shown nowhere.
    shards: in how many parts a new collection takes what is written; replicas: how many copies of one are loaded where
    none is. None: what the server thinks best.
    """

    token: str = ""
    database: str = ""
    tls: Mapping[str, str] = field(default_factory=dict)
    level: str = LEVELS[0]
    deadline: float = DEADLINE
    shards: int | None = None
    replicas: int | None = None

    @classmethod
    def of_environment(cls) -> "Access":
        """From SEARCHER_MILVUS_ and the names below, without a value where they are not set. BadValue."""
        said = {name: os.environ.get(f"SEARCHER_MILVUS_{name}") or "" for name in (
            "TOKEN", "DATABASE", "CA", "CERT", "KEY", "SERVER_NAME", "CONSISTENCY",
        )}  # fmt: skip
        level = said["CONSISTENCY"] or LEVELS[0]
        if level not in LEVELS:
            raise UnknownName("$SEARCHER_MILVUS_CONSISTENCY", level, LEVELS)
        deadline = number_of("SEARCHER_MILVUS_TIMEOUT", DEADLINE, 0.001, 86_400, "seconds")
        tls = {name: said[name] for name in ("CA", "CERT", "KEY", "SERVER_NAME") if said[name]}
        shards, replicas = (whole_number_of(f"SEARCHER_MILVUS_{name}", None, 1) for name in ("SHARDS", "REPLICAS"))
        return cls(said["TOKEN"], said["DATABASE"], tls, level, deadline, shards, replicas)
