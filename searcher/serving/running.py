"""Running a server in this process until it is told to stop; requests that are under way are answered first."""

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette

from searcher.errors import BadValue
from searcher.search import Searcher
from searcher.serving.app import application
from searcher.serving.options import Options
from searcher.serving.recording import JsonLines, log
from searcher.serving.service import Service
from searcher.serving.wire import Protocol
from searcher.system import keep_no_large_memory

__all__ = ["run"]

STOPPING = 30  # seconds at most for what is under way
SWITCH = 0.0005  # seconds after which a thread that computes lets another have Python: a question waits for less
BACKLOG = 512


def run(
    searcher: Searcher,
    options: Options,
    ready: Callable[[str], object] = lambda address: None,
    others: Sequence[Starlette] = (),
) -> None:
    """Serve an index until SIGTERM or Ctrl-C. ready: called with the address once it answers. others: as in
    `application`.

    Raises BadValue where it cannot listen there.
    """
    _log_to_stderr()
    keep_no_large_memory()  # where others write, the files of the index are read anew again and again
    with _listening(options) as listener:
        sys.setswitchinterval(SWITCH)
        config = uvicorn.Config(
            application(Service(searcher, options), others), http=Protocol, ws="none", loop="asyncio", lifespan="on",
            log_config=None, access_log=False, server_header=False, proxy_headers=False, date_header=True,
            timeout_graceful_shutdown=STOPPING, timeout_keep_alive=30,
        )  # fmt: skip
        host, port = listener.getsockname()[:2]
        _Server(config, lambda: ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")).run([listener])


class _Server(uvicorn.Server):
    """Says when it answers, and ends without raising the signal that ended it once more."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, *arguments: Any, **named: Any) -> None:
        """Start, and say so."""
        await super().startup(*arguments, **named)
        if self.started:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop for Ctrl-C and SIGTERM, for the former at once when it comes again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _listening(options: Options) -> Iterator[socket.socket]:
    """A socket that listens where it is to."""
    host = options.host.strip("[]")
    try:
        found = socket.getaddrinfo(host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as fault:
        raise BadValue(f"host {host!r} is not known here: {fault.strerror or fault}") from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as fault:
            raise BadValue(f"cannot listen on {host} port {options.port}: {fault.strerror or fault}") from None
        yield listener


def _log_to_stderr() -> None:
    """Every log record, and every warning, as a line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.captureWarnings(True)
    for name in (log.name, "uvicorn", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if logger is log else logging.WARNING)
