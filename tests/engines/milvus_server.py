"""A Milvus server of the `milvus` wheel, for tests: started in a folder of its own, killed, started again."""

import importlib
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

PORT = 19530


class MilvusServer:
    """The server out of a folder into which `pip install --no-deps --target FOLDER milvus==2.3.5` put it.

    It listens on all interfaces and asks nobody for a password, unless it is told to: tests/server.sh gives it a network
    of its own. settings: of the template of its configuration, such as authorization_enabled.
    """

    def __init__(self, wheel: Path, folder: Path, **settings: Any) -> None:
        self._wheel, self._folder, self._settings = wheel, folder, settings
        self._server: Any = None
        self.uri = f"{'https' if settings.get('tls_mode') else 'http'}://localhost:{PORT}"

    def start(self) -> float:
        """Start it, and wait until it answers; after how many seconds it did."""
        begun = time.monotonic()
        sys.path.insert(0, str(self._wheel))
        try:
            module = importlib.import_module("milvus")
        finally:
            sys.path.remove(str(self._wheel))
        self._server = module.MilvusServer(module.MilvusServerConfig())
        self._server.set_base_dir(str(self._folder))
        self._server.listen_port = PORT
        for name, value in self._settings.items():
            self._server.config.set(name, value)
        while not _is_free(PORT):  # it takes the next port for as long as connections to one that was killed linger
            time.sleep(0.5)
        self._server.start()
        return time.monotonic() - begun

    def kill(self) -> None:
        """As a power cut does: kill -9."""
        self._server.server_proc.kill()
        self._server.server_proc.wait()
        self._server.server_proc = None
        for stream in self._server.proc_fds.values():
            stream.close()
        self._server.proc_fds.clear()


def _is_free(port: int) -> bool:
    """Whether nobody listens there, nor did a minute ago."""
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wheel_folder() -> Path | None:
    """Where MILVUS_WHEEL says that the wheel is, if it does."""
    given = os.environ.get("MILVUS_WHEEL")
    return Path(given) if given and (Path(given) / "milvus").is_dir() else None
