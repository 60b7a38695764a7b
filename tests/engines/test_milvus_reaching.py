"""What keeps one from a Milvus server is told in a line that says what would be right, without a secret."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from searcher.engines.milvus import Address
from searcher.engines.milvus.engine import MilvusEngine
from searcher.errors import BadValue, IndexUnavailable

HTTP_2 = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # what a server says first: empty settings


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
    monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", "600")  # in which nobody waits who can know that it is of no use
    monkeypatch.setenv("SEARCHER_MILVUS_TOKEN", "root:never-to-be-seen")


@pytest.fixture
def plain() -> Iterator[int]:
    """The port of something that speaks HTTP/2 without TLS."""

    def answer() -> None:
        try:
            while True:
                with listening.accept()[0] as asked:
                    asked.sendall(HTTP_2)
                    asked.recv(1000)
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def asked(uri: str) -> None:
    MilvusEngine(Address.of(f"milvus:{uri}"), create=True).exists()


def test_a_server_without_tls_that_is_asked_with_it_is_told(plain: int) -> None:
    with pytest.raises(IndexUnavailable, match=r"it has no TLS; good: an address with http://$"):
        asked(f"https://127.0.0.1:{plain}")


@pytest.mark.parametrize(
    ("uri", "told"),
    [("http://127.0.0.1:9", "nobody answers at port 9$"), ("https://none.invalid", "no machine of the name none.invalid is found$")],
)  # fmt: skip
def test_what_may_pass_is_asked_again_until_there_is_no_time_left(
    uri: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", ".3")
    with pytest.raises(IndexUnavailable, match=told):
        asked(uri)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"CA": "none.pem"}, r"^\$SEARCHER_MILVUS_CA is '.*none.pem': No such file"),
        ({"CA": "."}, r"^\$SEARCHER_MILVUS_CA is .*: Is a directory"),
        ({"CA": "text"}, r"^\$SEARCHER_MILVUS_CA is .*text': no certificate in PEM is in it"),
        ({"CERT": "text"}, r"^\$SEARCHER_MILVUS_CERT is set without \$SEARCHER_MILVUS_CA and \$SEARCHER_MILVUS_KEY;.* all three"),
        ({"CA": "text", "KEY": "text"}, r"^\$SEARCHER_MILVUS_KEY is set without \$SEARCHER_MILVUS_CERT;"),
    ],
)  # fmt: skip
def test_a_file_for_tls_that_is_none_is_named_before_anybody_is_asked(
    said: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("no certificate")
    for name, file in said.items():
        monkeypatch.setenv(f"SEARCHER_MILVUS_{name}", str(tmp_path / file))
    with pytest.raises(BadValue, match=told):
        asked("https://127.0.0.1:9")


def test_what_is_said_of_tls_goes_with_no_address_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_MILVUS_CA", "any.pem")
    with pytest.raises(
        BadValue, match=r"#searcher is not encrypted, but \$SEARCHER_MILVUS_CA is set; good: .*https://"
    ):
        asked("http://127.0.0.1:9")


@pytest.mark.parametrize("uri", ["http://host:99999", "http://host:port", "http://[::1"])
def test_an_address_that_is_none_is_told(uri: str) -> None:
    with pytest.raises(BadValue, match=r"is no address of a server: .*; good: milvus:http://HOST"):
        Address.of(f"milvus:{uri}")
