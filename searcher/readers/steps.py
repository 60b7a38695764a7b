"""A file read in steps: where the process that reads it ends in one, another reads it anew without that step."""

from collections.abc import Iterator, Mapping
from typing import Any

from searcher.errors import UnreadableFile
from searcher.readers import child

__all__ = ["MOST_LOST", "ask"]

MOST_LOST = 20  # steps of a file at which a process may end, each after a minute perhaps; then no other is taken
NO_MORE = f"it comes after {MOST_LOST} others that could not be read"


def ask(request: Mapping[str, Any], source: str, data: bytes) -> Iterator[dict[str, Any]]:
    """The items, and the fault if there is one, with which a file is answered, as they come; see `child.ask`.

    What the steps gave is kept, and none is taken twice; items that came before are not given again. UnreadableFile
    where the process ends in no step.
    """
    done: dict[str, Any] = {}
    lost: dict[str, str] = {}
    ended = given = 0
    while True:
        now, why, seen = "", "", 0
        known = {"done": done, "lost": lost, "no_more": NO_MORE if ended >= MOST_LOST else ""}
        try:
            for message in child.ask({**request, **known}, source, data):
                if "step" in message:
                    now = str(message["step"])
                elif "done" in message:
                    done[now], now = message["done"], ""
                elif "lost" in message:
                    lost[now], now = str(message["lost"]), ""
                elif "item" in message:
                    seen += 1
                    if seen > given:
                        given = seen
                        yield message
                elif now:
                    why = str(message.get("unreadable") or child.no_memory(request["options"]["ocr"]))
                else:
                    yield message
        except UnreadableFile as fault:
            if not now:
                raise
            why = fault.reason
        if not now:
            return
        if now in lost or now in done or ended > MOST_LOST:
            raise UnreadableFile(source, why or "its reader answered nonsense")
        lost[now] = why
        ended += 1
