"""The octets of a message as they come: where it ends, which dots were stuffed, which octets no message may have.

Sans I/O. Both intakes take blocks of any size and give back octets to keep; `is_clean` turns false, and stays so, at
the first NUL and the first CR or LF that is not part of CRLF: whoever passes such a message on becomes a smuggler.
"""

from __future__ import annotations

_END = b"\r\n.\r\n"
_PREFIXES = (_END[:4], _END[:3], _END[:2], _END[:1])
_CR = 13
_SHORT = 64 * 1024
"""Up to here it takes less to take a text apart at its line ends than to find out how long its lines are."""
_FEW = 64
"""Dots, and lines of other lengths, as a header has: as many are looked at one by one."""


class DataIntake:
    """The octets that follow DATA, up to CRLF.CRLF (RFC 5321 sections 4.1.1.4 and 4.5.2)."""

    def __init__(self) -> None:
        self.is_clean = True
        self.rest: bytes | None = None
        """What came after the end of data; None until the end was seen."""
        self._kept = _END[:2]  # data begin at the start of a line: as if a CRLF stood before them
        self._is_first = True

    def feed(self, block: bytes) -> bytes:
        """Take one block, return message octets. After the end was seen (`rest`), no more may be fed."""
        text = self._kept + block
        dot = _first_dot_line(text)
        if text.endswith(_END) and (whole := _to_the_end(text, dot)) is not None:
            self._kept, self.rest = b"", b""
            return self._checked(whole)
        has_dots = dot >= 0
        end = text.find(_END, dot) if has_dots else -1
        if end >= 0:
            body, self._kept, self.rest = text[: end + 2], b"", text[end + 5 :]
        else:
            keep = next((len(prefix) for prefix in _PREFIXES if text.endswith(prefix)), 0)
            body, self._kept = (text[:-keep], text[-keep:]) if keep else (text, b"")
        return self._checked(body.replace(b"\r\n.", b"\r\n") if has_dots else body)

    def _checked(self, message: bytes) -> bytes:
        if self.is_clean:
            self.is_clean = _has_whole_lines_only(message)
        if self._is_first and message:
            self._is_first = False
            return message[2:]
        return message


class ChunkIntake:
    """The octets of BDAT chunks (RFC 3030): nothing is stuffed, lengths are given, CRLF may be cut in two."""

    def __init__(self) -> None:
        self.is_clean = True
        self._kept = b""

    def feed(self, block: bytes) -> bytes:
        """Take one block, return it."""
        if self.is_clean and block:
            text = self._kept + block if self._kept else block
            self._kept = b"\r" if text.endswith(b"\r") else b""
            self.is_clean = _has_whole_lines_only(text[:-1] if self._kept else text)
        return block

    def finish(self) -> bool:
        """The last chunk is in: a CR left over stands alone. Returns `is_clean`."""
        self.is_clean = self.is_clean and not self._kept
        return self.is_clean


def _first_dot_line(text: bytes) -> int:
    """Return where the first CRLF stands that a dot follows, or -1.

    Attachments have no dot but in their headers: each is looked at by itself, until there are too many.
    """
    at = text.find(b".")
    for _ in range(_FEW):
        if at < 0:
            return -1
        if text[at - 2 : at] == b"\r\n":
            return at - 2
        at = text.find(b".", at + 1)
    return text.find(b"\r\n.", at - 2) if at >= 0 else -1


def _to_the_end(text: bytes, dot: int) -> bytes | None:
    """Return what stands before the end of data with which `text` ends, dots unstuffed; None where one came before.

    `dot` is where the first CRLF stands that a dot follows.
    """
    if dot == len(text) - len(_END):
        return text[: dot + 2]
    *lines, _ = text.split(b"\r\n.")
    if any(not line or line.startswith(b"\r\n") for line in lines[1:]):
        return None
    return b"\r\n".join(lines) + b"\r\n"


def _has_whole_lines_only(text: bytes) -> bool:
    """True if every CR and LF is part of CRLF and no octet is NUL. `text` must not end between CR and LF."""
    if b"\0" in text:
        return False
    if len(text) <= _SHORT:
        words = b"".join(text.split(b"\r\n"))
        return b"\r" not in words and b"\n" not in words
    judged = _judge_runs(text)
    lines = text.count(b"\n", judged)
    return text.count(b"\r", judged) == lines == text.count(b"\r\n", judged)


def _judge_runs(text: bytes) -> int:
    """Return up to where all is whole lines, looked at by lines of one length, as those of base64 are.

    Their ends are where they must be, and when these are blanked no other CR or LF is left: that is searched for at the
    speed of memory, as a search that finds none has no need to begin again.
    """
    left = bytearray(text)
    judged = 0
    for _ in range(_FEW):
        first = text.find(b"\n", judged)
        if first < 1 or text[first - 1] != _CR:
            break
        length, run = text.find(b"\n", first + 1) - first, 1
        if length > 1 and text[first + 2 * length - 1 : first + 2 * length + 1] == b"\r\n":
            run = min(_leading(text[first - 1 :: length], b"\r"), _leading(text[first::length], b"\n"))
        else:
            length = 1
        judged = first + (run - 1) * length + 1
        left[first - 1 : judged - 1 : length] = left[first:judged:length] = bytes(run)
    is_whole = left.find(b"\r", 0, judged) < 0 and left.find(b"\n", 0, judged) < 0
    return judged if is_whole else 0


def _leading(octets: bytes, octet: bytes) -> int:
    return len(octets) - len(octets.lstrip(octet))
