"""A splitter that is plainly right and plainly slow: whole message, line by line, by recursion.

It knows the grammar of the scanner and none of its ways: no blocks, no windows, no searching.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MULTIPART = re.compile(rb'content-type:\s*multipart/([a-z-]+);.*?boundary="?([^";]+)"?', re.IGNORECASE)
MESSAGE = re.compile(rb"content-type:\s*message/rfc822\s*(;|$)", re.IGNORECASE)
FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
KNOWN = re.compile(rb"(from|to|subject|bcc|content-[a-z-]+|received|mime-version|x-[!-9;-~]+)[ \t]*:", re.IGNORECASE)


@dataclass
class Node:
    path: str
    kind: str  # "multipart", "message" or "leaf"
    header_offset: int
    offset: int
    end: int = -1

    def row(self) -> tuple[str, str, int, int, int]:
        return (self.path, self.kind, self.header_offset, self.offset, max(self.end - self.offset, 0))


class Reference:
    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.lines = re.findall(rb"[^\n]*\n|[^\n]+\Z", octets)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.at = 0
        self.nodes: list[Node] = []

    def rows(self) -> list[tuple[str, str, int, int, int]]:
        self.entity([], "1", is_body=True, default_message=False)
        return [node.row() for node in self.nodes]

    def delimiter(self, open_boundaries: list[bytes]) -> tuple[int, bool] | None:
        """Which open boundary the current line is a delimiter of, and whether it closes."""
        line = re.sub(rb"[ \t]+\Z", b"", self.lines[self.at].removesuffix(b"\n").removesuffix(b"\r"))
        for index in reversed(range(len(open_boundaries))):
            if line in (b"--" + open_boundaries[index], b"--" + open_boundaries[index] + b"--"):
                return index, line != b"--" + open_boundaries[index]
        return None

    def end_before(self) -> int:
        """Where what stands before the current delimiter line ends, the line end between them left out."""
        if self.at == len(self.lines):
            return len(self.octets)
        before = self.octets[: self.starts[self.at]]
        return len(before.removesuffix(b"\n").removesuffix(b"\r")) if before.endswith(b"\n") else len(before)

    def header(self, open_boundaries: list[bytes]) -> bytes:
        """Read a header block and go to the first line of the body."""
        first = self.at
        block: list[bytes] = []
        ended_by_blank = False
        while self.at < len(self.lines) and not self.delimiter(open_boundaries):
            line = self.lines[self.at]
            if line in (b"\n", b"\r\n"):
                ended_by_blank = True
                break
            block.append(line)
            self.at += 1
        number = 0
        while number < len(block):
            more = number + 1
            while more < len(block) and block[more][:1] in (b" ", b"\t"):
                more += 1
            is_envelope = number == 0 and block[0].startswith((b"From ", b">From "))
            known_later = any(KNOWN.match(line) for line in block[more:])
            if not FIELD.match(block[number]) and not is_envelope and not known_later:
                self.at = first + number
                return b"".join(block[:number])
            number = more
        if ended_by_blank:
            self.at += 1
        return b"".join(block)

    def entity(self, open_boundaries: list[bytes], path: str, *, is_body: bool, default_message: bool) -> None:
        start = self.starts[self.at]
        block = self.header(open_boundaries)
        offset = self.starts[self.at]
        field = first_content_type(block)
        multipart = MULTIPART.match(field)
        is_message = MESSAGE.match(field) or (default_message and not field)
        if multipart:
            self.multipart(open_boundaries, path, multipart, Node(path, "multipart", start, offset), is_body=is_body)
        elif is_message:
            node = Node(path, "message", start, offset)
            self.nodes.append(node)
            self.entity(open_boundaries, path + ".1", is_body=True, default_message=False)
            node.end = self.end_before()
        else:
            node = Node(path, "leaf", start, offset)
            self.nodes.append(node)
            while self.at < len(self.lines) and not self.delimiter(open_boundaries):
                self.at += 1
            node.end = self.end_before()

    def multipart(
        self, open_boundaries: list[bytes], path: str, found: re.Match[bytes], node: Node, *, is_body: bool
    ) -> None:
        prefix = path.removesuffix("1") if is_body else path + "."
        node.path = prefix + "TEXT" if is_body else path
        self.nodes.append(node)
        mine = [*open_boundaries, found[2]]
        children, closed = 0, False
        while self.at < len(self.lines):
            crossed = self.delimiter(mine)
            if crossed is None:
                self.at += 1
                continue
            index, is_close = crossed
            if index < len(open_boundaries):
                break
            self.at += 1
            if closed:
                continue
            if is_close:
                closed = True
            else:
                children += 1
                self.entity(mine, f"{prefix}{children}", is_body=False, default_message=found[1].lower() == b"digest")
        node.end = self.end_before()
        if not children:
            node.kind = "leaf"
            node.path = path


def first_content_type(block: bytes) -> bytes:
    for field in re.findall(rb"[^\n]*\n?(?:[ \t][^\n]*\n?)*", block):
        if field.lower().startswith(b"content-type"):
            return b" ".join(re.split(rb"\s+", field)).strip()
    return b""
