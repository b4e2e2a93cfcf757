"""The octets of a message as they come: where it ends, which dots were stuffed, which octets no message may have.

Sans I/O. Both intakes take blocks of any size and give back octets to keep; `is_clean` turns false, and stays so, at
the first NUL and the first CR or LF that is not part of CRLF: whoever passes such a message on becomes a smuggler.
"""

from __future__ import annotations

_END = b"\r\n.\r\n"
_PREFIXES = (_END[:4], _END[:3], _END[:2], _END[:1])


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
        if text.endswith(_END) and (whole := _to_the_end(text)) is not None:
            self._kept, self.rest = b"", b""
            return self._checked(whole)
        # Most blocks of attachments have no dot at all, and most of prose no line that begins with one.
        has_dots = b"." in text and b"\r\n." in text
        end = text.find(_END) if has_dots else -1
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


def _to_the_end(text: bytes) -> bytes | None:
    """Return what stands before the end of data with which `text` ends, dots unstuffed; None where one came before."""
    *lines, _ = text.split(b"\r\n.")
    if any(not line or line.startswith(b"\r\n") for line in lines[1:]):
        return None
    return b"\r\n".join(lines) + b"\r\n"


def _has_whole_lines_only(text: bytes) -> bool:
    """True if every CR and LF is part of CRLF and no octet is NUL. `text` must not end between CR and LF."""
    lines = text.count(b"\n")
    return text.count(b"\r") == lines and b"\0" not in text and (lines == 0 or _are_pairs(text, lines))


def _are_pairs(text: bytes, lines: int) -> bool:
    """True if each of as many CR as LF stands before a LF."""
    first = text.find(b"\n")
    length = text.find(b"\n", first + 1) - first
    if first > 0 and length > 1:  # base64 has lines of one length: look at the places where their ends must be
        before, at = text[first - 1 :: length][:lines], text[first::length][:lines]
        if before.count(b"\r") == lines == at.count(b"\n"):
            return True
    return text.count(b"\r\n") == lines
