"""Text of format=flowed (RFC 3676), joined to the paragraphs its author wrote."""

from __future__ import annotations


def unflow(plain: str, *, delsp: bool = False) -> str:
    """Join flowed lines (LF line ends). `delsp`: the blank at a soft line break goes with it (section 4.1).

    Quote marks stay in front of each joined line, a signature separator `-- ` stays alone.
    """
    joined: list[str] = []
    run: list[str] = []
    run_depth = 0
    for line in plain.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing, section 4.4
        is_signature = content == "-- "
        if run and (depth != run_depth or is_signature):
            joined.append(_quoted("".join(run), run_depth))
            run = []
        run_depth = depth
        if content.endswith(" ") and not is_signature:
            run.append(content[:-1] if delsp else content)
            continue
        joined.append(_quoted("".join(run) + content, depth))
        run = []
    if run:
        joined.append(_quoted("".join(run), run_depth))
    return "\n".join(joined)


def _quoted(content: str, depth: int) -> str:
    return f"{'>' * depth} {content}" if depth else content
