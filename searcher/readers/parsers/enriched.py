"""Mail in text/enriched (RFC 1896) as its words: commands gone, lines as they are shown."""

import re

__all__ = ["plain_of_enriched"]

TOKEN = re.compile(r"<<|</?(?P<command>[a-z0-9-]{1,60})>|(?P<ends>\n+)", re.IGNORECASE)
PARAMETER = "</param>"


def plain_of_enriched(text: str) -> str:
    r"""What is shown of it: a single end of a line is a space, of several one is none.

    >>> plain_of_enriched("<bold>To be</bold>\nor\n\nnot <<to\n<nofill>a\nb</nofill>")
    'To be or\nnot <to a\nb'
    """
    text = text.replace("\r\n", "\n")
    lowered = text.lower()
    closed = lowered.rfind(PARAMETER)  # behind it none is looked for
    pieces: list[str] = []
    at = unfilled = 0
    while found := TOKEN.search(text, at):
        pieces.append(text[at : found.start()])
        at = found.end()
        command = (found["command"] or "").lower()
        if found[0] == "<<":
            pieces.append("<")
        elif found["ends"]:
            count = len(found["ends"])
            pieces.append("\n" * count if unfilled else "\n" * (count - 1) or " ")
        elif command == "nofill":
            unfilled = max(0, unfilled + (-1 if found[0].startswith("</") else 1))
        elif command == "param" and at <= closed:
            at = lowered.index(PARAMETER, at) + len(PARAMETER)
    pieces.append(text[at:])
    return "".join(pieces)
