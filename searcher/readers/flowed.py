"""Text in which lines flow into each other (format=flowed, RFC 3676) as its paragraphs, quotations too."""

__all__ = ["unflowed"]

SIGNATURE = "-- "


def unflowed(text: str, without_space: bool = False) -> str:
    r"""The text with the lines of each paragraph joined. without_space: the space that ends a line is none of its own.

    >>> unflowed("To be \nor not.\n> Who \n> said so?\n-- \nAnn")
    'To be or not.\n> Who said so?\n-- \nAnn'
    """
    lines: list[tuple[int, str]] = []
    is_open = False  # whether the last line goes on
    for line in text.replace("\r\n", "\n").split("\n"):
        bare = line.lstrip(">")
        depth, said = len(line) - len(bare), bare.removeprefix(" ")  # which only keeps it from looking quoted
        goes_on = said.endswith(" ") and said != SIGNATURE
        said = said[:-1] if goes_on and without_space else said
        if is_open and lines[-1][0] == depth and said != SIGNATURE:
            lines[-1] = (depth, lines[-1][1] + said)
        else:
            lines.append((depth, said))
        is_open = goes_on
    return "\n".join(f"{'>' * depth} {said}" if depth else said for depth, said in lines)
