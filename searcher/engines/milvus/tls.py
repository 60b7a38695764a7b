"""What the environment says of TLS: looked at before any server, so that a wrong file is named."""

import ssl
from collections.abc import Mapping

from searcher.engines.milvus.address import Address
from searcher.errors import BadValue

__all__ = ["check", "options"]

NAMES = {"CA": "ca_pem_path", "CERT": "client_pem_path", "KEY": "client_key_path", "SERVER_NAME": "server_name"}


def options(said: Mapping[str, str]) -> dict[str, str]:
    """What `MilvusClient` takes. said: by the end of each variable's name, CA, CERT, KEY, SERVER_NAME."""
    names = NAMES if "CERT" in said else NAMES | {"CA": "server_pem_path"}  # pymilvus: one of them alone, or all three
    return {names[name]: value for name, value in said.items()}


def check(address: Address, said: Mapping[str, str]) -> None:
    """BadValue for what does not go with the address, for a file that cannot be read, and for one that is missing."""
    if not said or address.is_lite:
        return
    if not address.has_tls:
        told = f"{address} is not encrypted, but {_variable(next(iter(said)))} is set"
        raise BadValue(f"{told}; good: an address with https://, or no such variable")
    if {"CERT", "KEY"} & said.keys() and (missing := {"CA", "CERT", "KEY"} - said.keys()):
        have = " and ".join(_variable(name) for name in ("CERT", "KEY") if name in said)
        lacking = " and ".join(map(_variable, sorted(missing)))
        raise BadValue(f"{have} is set without {lacking}; with a certificate of one's own all three are needed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        name, what = "CA", "no certificate in PEM is in it"
        if "CA" in said:
            context.load_verify_locations(said["CA"])
        if "CERT" in said:
            name, what = "CERT", f"it is no certificate in PEM that the key in {_variable('KEY')} belongs to"
            context.load_cert_chain(said["CERT"], said["KEY"], password=lambda: b"")  # none is asked for
    except OSError as fault:
        if not isinstance(fault, ssl.SSLError):
            what = f"{fault.strerror}" + (f", or {_variable('KEY')} is" if name == "CERT" else "")
        raise BadValue(f"{_variable(name)} is {said[name]!r}: {what}") from None


def _variable(name: str) -> str:
    return f"$SEARCHER_MILVUS_{name}"
