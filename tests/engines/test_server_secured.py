"""A Milvus server with passwords and TLS: who may, gets in; each fault is a line that says what is right, and no secret."""

import base64
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import pytest
from contract import SETTINGS, filled, prepared, units
from milvus_server import MilvusServer, wheel_folder

from searcher.engines.milvus import Address
from searcher.engines.milvus.engine import MilvusEngine
from searcher.errors import IndexUnavailable

pytestmark = [
    pytest.mark.secured,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # the wheel leaves sockets open
]

QUESTIONS = units(4, np.random.default_rng(1))
ROOT, WRONG = "root:Milvus", "root:never-to-be-seen"
SIDES = {"one side": 1, "both sides": 2}  # that show a certificate → tls_mode


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two authorities, ca and other, the server's and a client's certificate of the one, another's of the other."""
    folder = tmp_path_factory.mktemp("pem")
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", 9,
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")  # fmt: skip
    for name, authority, names, days in (
        ("server", "ca", "DNS:localhost", 9), ("client", "ca", "DNS:client", 9), ("stranger", "other", "DNS:client", 9),
    ):  # fmt: skip
        request, more = folder / f"{name}.csr", folder / f"{name}.ext"
        more.write_text(f"subjectAltName={names}\n")
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            folder / f"{name}.key",
            "-out",
            request,
        )
        openssl("x509", "-req", "-in", request, "-CA", folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key",
                "-CAcreateserial", "-days", days, "-extfile", more, "-out", folder / f"{name}.pem")  # fmt: skip
    return folder


class Secured(NamedTuple):
    """A server that asks for a password. right: what the environment has to say."""

    sides: str
    uri: str
    pem: Path
    right: Mapping[str, str]


@pytest.fixture(scope="module", params=SIDES)
def secured(request: pytest.FixtureRequest, pem: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    if (wheel := wheel_folder()) is None:
        pytest.skip("MILVUS_WHEEL names no folder with the milvus wheel; see tests/server.sh")
    server = MilvusServer(
        wheel, tmp_path_factory.mktemp("milvus"), authorization_enabled=True, tls_mode=SIDES[request.param],
        server_pem_path=str(pem / "server.pem"), server_key_path=str(pem / "server.key"), ca_pem_path=str(pem / "ca.pem"),
    )  # fmt: skip
    server.start()
    right = {"CA": str(pem / "ca.pem"), "TOKEN": ROOT}
    own = {"CERT": str(pem / "client.pem"), "KEY": str(pem / "client.key")} if request.param == "both sides" else {}
    yield Secured(request.param, server.uri, pem, right | own)
    server.kill()


@pytest.fixture
def saying(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what the environment says to what is right, but for what is given; None takes it out."""

    def say(**others: str | None) -> None:
        for name, value in (secured.right | others).items():
            if value is None:
                monkeypatch.delenv(f"SEARCHER_MILVUS_{name}", raising=False)
            else:
                monkeypatch.setenv(f"SEARCHER_MILVUS_{name}", value)

    monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", "600")  # in which nobody waits who can know that it is of no use
    say()
    return say


def engine_at(uri: str, collection: str | None = None) -> MilvusEngine:
    return MilvusEngine(Address.of(f"milvus:{uri}#{collection or f'c{uuid4().hex}'}"), create=True)


def client(secured: Secured) -> Any:
    """Of the administrator."""
    from searcher.engines.milvus.address import Access
    from searcher.engines.milvus.connection import Connection

    return Connection(Address.of(f"milvus:{secured.uri}"), Access.of_environment()).client()


def test_who_has_the_password_writes_and_finds(secured: Secured, saying: Any) -> None:
    engine = engine_at(secured.uri)
    engine.settle(SETTINGS)
    filled(engine).check(engine, QUESTIONS, 5, "lang = 'en'")
    assert engine.check() == []
    engine.close()


FAULTS = {
    "no password": ({"TOKEN": None}, r"asks for a password, and \$SEARCHER_MILVUS_TOKEN is empty; good: user:password"),
    "a wrong password": ({"TOKEN": WRONG}, r"does not take what is in \$SEARCHER_MILVUS_TOKEN; good: user:password"),
    "a user that there is not": ({"TOKEN": "nobody:never-to-be-seen"}, r"does not take .*_TOKEN; good: user:password"),
    "a key": ({"TOKEN": "never-to-be-seen"}, r"does not take .*_TOKEN; good: user:password"),
    "another authority": ({"CA": "other.pem"}, r"not trusted: unable to get local issuer .*; good: \$SEARCHER_MILVUS_CA"),
    "no authority": (
        {"CA": None, "CERT": None, "KEY": None}, r"certificate is not trusted: .*; good: \$SEARCHER_MILVUS_CA"
    ),
    "another name": ({"SERVER_NAME": "elsewhere.example"}, r"for other names than localhost; good: .*_SERVER_NAME"),
    "no database": ({"DATABASE": "none"}, r"there is no database 'none'; good: \$SEARCHER_MILVUS_DATABASE"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_told_at_once_and_what_would_be_right(secured: Secured, saying: Any, fault: str) -> None:
    said, told = FAULTS[fault]
    saying(**{name: str(secured.pem / value) if value == "other.pem" else value for name, value in said.items()})
    engine = engine_at(secured.uri)
    with pytest.raises(IndexUnavailable, match=told) as raised:
        engine.settle(SETTINGS)
    lines = "".join(
        traceback.TracebackException(type(raised.value), raised.value, raised.tb.tb_next, capture_locals=True).format()
    )
    assert "never-to-be-seen" not in lines + repr(engine.server) + repr(engine.server.access)


def test_a_server_with_tls_that_is_asked_without_it_is_told(secured: Secured, saying: Any) -> None:
    saying(CA=None, CERT=None, KEY=None)
    with pytest.raises(IndexUnavailable, match="it has TLS; good: an address with https://"):
        engine_at(secured.uri.replace("https", "http")).settle(SETTINGS)


@pytest.mark.parametrize("own", ["none", "stranger"])
def test_a_server_that_asks_for_a_certificate_is_shown_one_that_it_trusts(
    secured: Secured, saying: Any, own: str
) -> None:
    if secured.sides == "one side":
        pytest.skip("it asks for none")
    pem = None if own == "none" else str(secured.pem / own)
    saying(CERT=pem and f"{pem}.pem", KEY=pem and f"{pem}.key")
    with pytest.raises(IndexUnavailable, match=r"takes no TLS without a certificate; good: \$SEARCHER_MILVUS_CERT"):
        engine_at(secured.uri).settle(SETTINGS)


def test_a_user_does_what_the_roles_allow_and_is_told_of_the_rest(secured: Secured, saying: Any) -> None:
    admin, name = client(secured), f"c{uuid4().hex}"
    made = engine_at(secured.uri, name)
    made.settle(SETTINGS)
    library = filled(made)
    reading = ["Query", "Search"]
    for user, privileges in {
        "nobody": [],
        "reader": reading,
        "writer": [*reading, "Load", "GetLoadState", "Upsert", "Delete", "Flush"],
    }.items():
        if user not in admin.list_users():
            admin.create_user(user, f"{user}-1234")
            admin.create_role(f"{user}s")
            admin.grant_role(user, f"{user}s")
        for privilege in privileges:
            for collection in (name, f"{name}_beside"):
                admin.grant_privilege(f"{user}s", "Collection", privilege, collection)
    saying(TOKEN="nobody:nobody-1234")
    with pytest.raises(IndexUnavailable, match=r"user in \$SEARCHER_MILVUS_TOKEN may not do that: PrivilegeQuery"):
        engine_at(secured.uri, name).counts()
    with pytest.raises(IndexUnavailable, match="may not do that: PrivilegeCreateCollection"):
        engine_at(secured.uri).settle(SETTINGS)
    saying(TOKEN="reader:reader-1234")
    reader = engine_at(secured.uri, name)
    library.check(reader, QUESTIONS, 5, "lang = 'en'")
    with pytest.raises(IndexUnavailable, match="may not do that: Privilege"):
        reader.write([prepared("new")])
    saying(TOKEN="writer:writer-1234")
    writer = engine_at(secured.uri, name)
    library.put(prepared("doc 4", ["all new"]))
    writer.write([library.items["doc 4"]], remove=writer.documents_of("source", "doc 1").values())
    del library.items["doc 1"]
    library.check(writer, QUESTIONS, 50)
    library.check(reader, QUESTIONS, 50)


@pytest.mark.parametrize(
    "words", ["status", "status --json", "list", "search why --json", "check", "add", "--help", "doctor"]
)
@pytest.mark.parametrize("token", [ROOT, WRONG])
def test_no_command_shows_a_password(secured: Secured, saying: Any, tmp_path: Path, words: str, token: str) -> None:
    if secured.sides == "both sides":
        pytest.skip("said of the one side")
    saying(TOKEN=token)
    named = [] if words in ("--help", "doctor") else ["--engine", f"milvus:{secured.uri}"]
    more = [str(tmp_path)] if words == "add" else []
    done = subprocess.run([sys.executable, "-m", "searcher", *words.split(), *more, *named], capture_output=True, text=True,
                          check=False, cwd=tmp_path, env=dict(os.environ, HOME=str(tmp_path)))  # fmt: skip
    shown, password = done.stdout + done.stderr, token.partition(":")[2]
    if token == WRONG and named:
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1) and "_TOKEN; good" in done.stderr
    for secret in (f":{password}", base64.b64encode(token.encode()).decode()):
        assert secret not in shown
