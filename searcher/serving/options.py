"""What a server is started with: where it listens, who may ask, what may be written, what is logged."""

import ipaddress
import re
from dataclasses import dataclass

from searcher.errors import BadValue

__all__ = ["Options"]

PORT = 8917
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
LEAST_TOKEN = 16  # characters
MIB = 2**20
NAME = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True)
class Options:
    """host, port: where it listens. token: what every request must bring, None where none has to.

    writes: whether documents may be added and removed. hosts: names that people reach it by, beside those of the
    loopback and the address that it listens on. questions_logged: whether the log has the text of questions.
    most_body: bytes that a request may bring.

    Raises BadValue for an address beyond the loopback without a token, and for a token that is short.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    token: str | None = None
    writes: bool = False
    hosts: tuple[str, ...] = ()
    questions_logged: bool = False
    most_body: int = 10 * MIB

    def __post_init__(self) -> None:
        if self.token is None and not self.is_loopback:
            raise BadValue(
                f"host {self.host!r} can be reached from elsewhere, which needs a token: --token-file FILE or "
                "$SEARCHER_TOKEN; without one: 127.0.0.1, ::1 or localhost"
            )
        if self.token is not None and not (len(self.token) >= LEAST_TOKEN and self.token.isascii()):
            raise BadValue(f"the token must have {LEAST_TOKEN} ASCII characters or more, such as: openssl rand -hex 24")
        if self.token is not None and any(sign.isspace() or not sign.isprintable() for sign in self.token):
            raise BadValue("the token has a space or a control character in it")
        for name in self.hosts:
            if NAME.fullmatch(_sent(name)) is None:
                raise BadValue(f"a name to be reached by is {name!r:.80}; good: one alone, such as search.example.org")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def names(self) -> frozenset[str] | None:
        """The names in a Host header that are ours; None where any is: on every address, with a token, none named."""
        bare = self.host.strip("[]")
        if not self.hosts and bare in ("0.0.0.0", "::", ""):
            return None
        return frozenset(map(_sent, (*LOOPBACK, bare, *self.hosts)))


def _sent(name: str) -> str:
    """A name or an address as browsers write it into a Host header, without the dot that may end it."""
    try:
        address = ipaddress.ip_address(name.strip("[]"))
        return f"[{address.compressed}]" if address.version == 6 else address.compressed
    except ValueError:
        pass
    try:
        return name.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return name.lower()
