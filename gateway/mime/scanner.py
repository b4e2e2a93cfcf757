"""The structure of a message, found while its octets stream by (RFC 2045, 2046, 5322).

What it does: takes blocks cut anywhere, keeps header blocks and the place of each part, never a body.
Trusts: nothing. Bad mail gives defects and a structure that is as good as it can be, never an exception.
Holds: at most one header block and one block of input.
How it fails: over a cap the rest of the message becomes one opaque leaf, and a defect names the cap.

Time is linear and nothing recurses: open multiparts and messages stand on a stack, and a delimiter found by `find` ends
all that stands above its own multipart. Of two open boundaries that are alike the inner one is meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from gateway.domain.partmap import MESSAGE_TYPES, PartMap
from gateway.mime.delimiters import ABSENT, Boundary, Line, Window
from gateway.mime.draft import OPAQUE, PartDraft
from gateway.mime.entity import IDENTITY, Entity, describe
from gateway.mime.headerblock import split_header_block
from gateway.mime.structure import Defect, DefectKind, Header, Limits, Mark, Structure

_MAX_STRAY = 8  # boundaries of unclosed multiparts that are still looked for, to tell a late close
_SLACK = 2_000  # octets past the cap of a header block that may be needed to see that it ended before
# What a reader is told of, because what is shown may not be what the sender meant.
_NOTED = frozenset({
    DefectKind.OVER_CAP, DefectKind.MISSING_BOUNDARY, DefectKind.MISSING_PARTS, DefectKind.MISSING_CLOSE,
    DefectKind.EARLY_CLOSE, DefectKind.LATE_CLOSE, DefectKind.BOUNDARY_REUSED, DefectKind.NEAR_BOUNDARY,
    DefectKind.EPILOGUE_TEXT, DefectKind.HEADER_WITHOUT_COLON, DefectKind.DUPLICATE_HEADER,
    DefectKind.BAD_CONTENT_TYPE, DefectKind.MISSPELT_MULTIPART, DefectKind.UNKNOWN_ENCODING,
    DefectKind.ENCODED_COMPOSITE, DefectKind.UNKNOWN_CHARSET,
})  # fmt: skip


class _Place(Enum):
    """Where in a multipart the scan stands."""

    PREAMBLE = "preamble"
    PARTS = "parts"
    EPILOGUE = "epilogue"


@dataclass(slots=True)
class _Open:
    """A multipart (with a boundary) or a message (without) whose end has not been seen.

    `prefix` begins the paths of its children. `began` is where the current preamble or epilogue began, `has_text`
    whether anything but blanks stood there.
    """

    draft: PartDraft
    prefix: str
    boundary: Boundary | None
    place: _Place = _Place.PREAMBLE
    children: int = 0
    began: int = 0
    has_text: bool = False


class Scanner:
    """One scan of one message: `feed` its blocks, then `finish`. `smtputf8`: whether it came under RFC 6531."""

    def __init__(self, limits: Limits | None = None, *, smtputf8: bool = False) -> None:
        self._limits = limits or Limits()
        self._smtputf8 = smtputf8
        self._window = Window()
        self._at = 0
        self._in_header = True
        self._blank_sought = -1
        self._is_flat = False
        self._default_type = "text/plain"
        self._open: list[_Open] = []
        self._stray: list[Boundary] = []
        self._boundaries: list[Boundary] = []
        self._leaf: PartDraft | None = None
        self._drafts: list[PartDraft] = []
        self._defects: list[Defect] = []
        self._headers: tuple[Header, ...] = ()
        self._near = 0
        self._after_close = 0
        self._size = 0

    def feed(self, block: bytes) -> None:
        """The next octets of the message, any number of them."""
        self._size += len(block)
        if self._is_flat:
            return
        self._window.octets += block
        self._scan(is_last=False)
        self._window.drop(min(self._at - 2, self._window.end))  # the line end before may belong to a delimiter

    def finish(self) -> Structure:
        """The structure of all that was fed. Call it once."""
        if not self._is_flat:
            self._scan(is_last=True)
        if not self._drafts[0].is_read:
            self._drafts[0].offset = self._size  # the header could not be read: no octet is known to be body
        if self._leaf is not None:
            self._leaf.close(self._size)
        while self._open:
            self._pop(self._size)
        for draft in self._drafts:
            if draft.disagrees():
                self._defects.append(Defect(DefectKind.PROTECTION_DISAGREES, draft.path))
        if self._near:
            self._defects.append(Defect(DefectKind.NEAR_BOUNDARY, self._drafts[0].path, str(self._near)))
        defects = self._listed_defects()
        parts = tuple(draft.part() for draft in self._drafts)
        notes = dict.fromkeys(_note(defect) for defect in defects if defect.kind in _NOTED)
        part_map = PartMap(parts, tuple(notes))
        return Structure(self._headers, part_map, defects, parts[0].offset, self._size, self._marks(part_map))

    def _marks(self, part_map: PartMap) -> frozenset[Mark]:
        found = {draft.path: marks for draft in self._drafts if (marks := tuple(draft.marks()))}
        if not found:
            return frozenset()
        return frozenset(mark for part in part_map.own_parts for mark in found.get(part.path, ()))

    def _listed_defects(self) -> tuple[Defect, ...]:
        listed = tuple(dict.fromkeys(self._defects))
        if len(listed) <= self._limits.defects:
            return listed
        caps = (defect for defect in listed if defect.kind is DefectKind.OVER_CAP)
        return (*listed[: self._limits.defects], *caps, Defect(DefectKind.OVER_CAP, self._drafts[0].path, "defects"))

    def _scan(self, *, is_last: bool) -> None:
        while not self._is_flat and (self._read_header(is_last) if self._in_header else self._read_body(is_last)):
            pass

    # Header blocks

    def _read_header(self, is_last: bool) -> bool:
        """Take one header block if its end is here; True when the scan can go on."""
        start, window = self._at, self._window
        blank, behind = self._find_blank_line()
        line = window.next_line(self._boundaries, start - 1, is_last=is_last)
        while line is not None and self._index_of(line) is None and (blank == ABSENT or line.before < blank):
            line = window.next_line(self._boundaries, line.before + 1, is_last=is_last)
        cut = line is not None and (blank == ABSENT or line.before < blank)
        if cut and line is not None:
            blank = behind = line.before + 1
        elif blank == ABSENT and is_last:
            blank = behind = window.end
            cut = bool(self._open)
        if blank == ABSENT and window.end - start <= self._limits.header_block + _SLACK:
            return False
        if blank == ABSENT or blank - start > self._limits.header_block:
            self._go_flat("header_block", self._child_path(), start)
            return False
        self._take_header(window.cut(start, blank), behind, cut=cut)
        return True

    def _find_blank_line(self) -> tuple[int, int]:
        """The offset of the next blank line and the one behind it, or ABSENT."""
        since = max(self._at - 1, self._blank_sought)
        crlf = self._window.find(b"\n\r\n", since)
        bare = self._window.find(b"\n\n", since, None if crlf == ABSENT else crlf + 1)
        if bare != ABSENT:
            return bare + 1, bare + 2
        if crlf != ABSENT:
            return crlf + 1, crlf + 3
        self._blank_sought = self._window.end - 2
        return ABSENT, ABSENT

    def _take_header(self, octets: bytes, behind: int, *, cut: bool) -> None:
        start, path = self._at, self._child_path()
        block = split_header_block(octets, start, path, self._limits, smtputf8=self._smtputf8)
        defects = list(block.defects)
        if not self._drafts:
            self._headers = block.headers
        if cut:
            defects.append(Defect(DefectKind.HEADER_CUT, path))
        if block.is_over_cap or len(self._drafts) >= self._limits.parts:
            self._defects += defects
            self._go_flat("" if block.is_over_cap else "parts", path, start)
            return
        entity = describe(block, path, self._default_type, self._limits)
        body = behind if block.length == len(octets) else start + block.length
        self._enter(entity, path, body, (*defects, *entity.defects))

    def _enter(self, entity: Entity, path: str, body: int, defects: Iterable[Defect]) -> None:
        """Begin the part that a header block has described: open it, or read it as a leaf."""
        draft = PartDraft(path, entity, self._at, body)
        parent = self._open[-1] if self._open else None
        self._drafts.append(draft)
        self._at, self._in_header = body, False
        if parent is not None:
            parent.children += 1
        is_message = entity.media_type in MESSAGE_TYPES and entity.encoding in IDENTITY
        is_too_deep = len(self._open) >= self._limits.depth and (is_message or entity.boundary is not None)
        if is_too_deep:
            self._defects.append(Defect(DefectKind.OVER_CAP, path, "depth"))
        if is_too_deep and not is_message:
            draft.media_type = OPAQUE
        if is_too_deep or not (is_message or entity.boundary is not None):
            self._leaf = draft
        elif is_message:
            self._open.append(_Open(draft, path + ".", None))
            self._begin_header("text/plain")
        else:
            prefix = path + "."
            if parent is None or parent.boundary is None:  # the body of a message has no number of its own
                prefix = path.removesuffix("1")
                draft.path = prefix + "TEXT"
            self._push(draft, prefix, Boundary.named(entity.boundary or b"", body - 1))
        self._defects += (replace(defect, path=draft.path) for defect in defects)

    def _begin_header(self, default_type: str) -> None:
        self._in_header, self._default_type, self._blank_sought = True, default_type, -1

    def _child_path(self) -> str:
        return f"{self._open[-1].prefix}{self._open[-1].children + 1}" if self._open else "1"

    # Bodies

    def _read_body(self, is_last: bool) -> bool:
        """Pass over body octets up to the next delimiter; True when the scan can go on."""
        line = self._window.next_line(self._boundaries, self._at - 1, is_last=is_last)
        while line is not None and line.boundary is None:
            self._near += 1
            if self._near > self._limits.near_boundaries:
                self._pass_over(line.before)
                self._go_flat("near_boundaries", self._child_path(), line.before)
                return False
            line = self._window.next_line(self._boundaries, line.before + 1, is_last=is_last)
        if line is None:
            self._pass_over(self._size if is_last else self._window.tail(self._boundaries))
            return False
        before = line.before - (self._window.cut(line.before - 1, line.before) == b"\r")
        self._pass_over(before)
        self._cross(line, before)
        self._at = line.end
        return True

    def _cross(self, line: Line, before: int) -> None:
        """Cross a delimiter: end what it ends, begin what it begins. `before`: where the octets before it end."""
        index = self._index_of(line)
        if index is None:
            self._boundaries = [each for each in self._boundaries if each is not line.boundary]
            self._defects.append(Defect(DefectKind.LATE_CLOSE, self._drafts[-1].path, "", line.before + 1))
            return
        if self._leaf is not None:
            self._leaf.close(before)
            self._leaf = None
        while len(self._open) > index + 1:
            self._pop(before)
        multipart = self._open[index]
        if multipart.place is _Place.EPILOGUE:
            self._after_close += 1
            self._defects.append(Defect(DefectKind.EARLY_CLOSE, multipart.draft.path))
            multipart.has_text = True
            if self._after_close > self._limits.near_boundaries:
                self._go_flat("near_boundaries", self._child_path(), line.before)
            return
        self._end_text(multipart, before)
        if line.is_close:
            multipart.place, multipart.began = _Place.EPILOGUE, line.end
        else:
            multipart.place = _Place.PARTS
            is_digest = multipart.draft.media_type == "multipart/digest"
            self._begin_header("message/rfc822" if is_digest else "text/plain")

    def _index_of(self, line: Line) -> int | None:
        """Where on the stack the multipart stands that this line is a delimiter of."""
        if line.boundary is None:
            return None
        return next((index for index, each in enumerate(self._open) if each.boundary is line.boundary), None)

    def _pass_over(self, end: int) -> None:
        """Go on to this offset, looking at as little as can be."""
        if end <= self._at:
            return
        if self._leaf is not None:
            if self._leaf.wants_more:
                self._leaf.take(self._window.cut(self._at, min(end, self._at + self._leaf.wants_more)))
        elif self._open and not self._open[-1].has_text:
            self._open[-1].has_text = bool(self._window.cut(self._at, end).strip(b" \t\r\n"))
        self._at = end

    def _end_text(self, multipart: _Open, end: int) -> None:
        """Report what stood in the preamble or epilogue that ends here."""
        if multipart.has_text and multipart.place is not _Place.PARTS:
            is_preamble = multipart.place is _Place.PREAMBLE
            kind = DefectKind.PREAMBLE_TEXT if is_preamble else DefectKind.EPILOGUE_TEXT
            began = multipart.began
            self._defects.append(Defect(kind, multipart.draft.path, "", began, max(end - began, 0)))
        multipart.has_text = False

    # The stack

    def _push(self, draft: PartDraft, prefix: str, boundary: Boundary) -> None:
        if any(each.delimiter == boundary.delimiter for each in self._boundaries):
            self._defects.append(Defect(DefectKind.BOUNDARY_REUSED, draft.path))
        self._boundaries.append(boundary)
        self._open.append(_Open(draft, prefix, boundary, began=draft.offset))

    def _pop(self, end: int) -> None:
        """End the innermost open multipart or message."""
        opened = self._open.pop()
        opened.draft.close(end)
        if opened.boundary is None:
            return
        path = opened.draft.path
        if opened.children == 0:
            # Nobody may lose text to a delimiter that never came: the whole body is shown as text.
            self._defects.append(Defect(DefectKind.MISSING_PARTS, path))
            opened.draft.become_text()
        else:
            self._end_text(opened, end)
        self._boundaries.remove(opened.boundary)
        if opened.place is not _Place.EPILOGUE:
            self._defects.append(Defect(DefectKind.MISSING_CLOSE, path))
            if len(self._stray) < _MAX_STRAY and self._open:
                self._stray.append(opened.boundary)
                self._boundaries.insert(0, opened.boundary)

    def _go_flat(self, cap: str, path: str, start: int) -> None:
        """Give up looking: from here on all is one opaque leaf, or more of the leaf that is open."""
        if cap:
            self._defects.append(Defect(DefectKind.OVER_CAP, path, cap, start))
        if self._leaf is None:
            around = self._open[-1] if self._open else None
            if around is not None and not self._in_header:
                start = around.began  # the preamble or epilogue that is being read
                around.has_text = False
            self._leaf = PartDraft.opaque(path, start)
            self._drafts.append(self._leaf)
            if around is not None:
                around.children += 1
        self._is_flat = True
        self._window.octets.clear()


def _note(defect: Defect) -> str:
    return f"{defect.kind}:{defect.detail}" if defect.kind is DefectKind.OVER_CAP else str(defect.kind)
