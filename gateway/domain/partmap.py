"""The part map: what a message is made of and where each part lies in its octets (IMAP's BODYSTRUCTURE, with offsets).

Paths are IMAP's part numbers (RFC 9051 section 6.4.5.1): a message that is one part has part `1`; the children of a
multipart count from 1; what is inside a `message/rfc822` part `2` is `2.1`, `2.2`, … A multipart that is itself the
body of a message has no number there; it is called `TEXT` (or `2.TEXT`), as IMAP calls that section.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter

from gateway.domain.jsontext import json_writer

_PATH = re.compile(r"(?:[1-9][0-9]*\.)*(?:[1-9][0-9]*|TEXT)\Z")
_MEDIA_TYPE = re.compile(r"[^\sA-Z/;]+/[^\sA-Z/;]+\Z")
_DISPOSITIONS = ("", "inline", "attachment")
_PROTECTIONS = ("", "signed", "encrypted")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a message. `offset` and `length` tell the encoded body in octets of the message as received.

    `length` is without the line end that belongs to the following delimiter; `header_offset` is where the part's own
    header block begins. `parameters` are those of Content-Type that someone reads, decoded, names in lower case.
    `filename` is decoded and may be anything a sender wrote, path separators included. `protection` is what the type or
    the first octets say: "signed" (S/MIME, PGP), "encrypted" (CMS enveloped, PGP, rights-managed) or nothing.
    Raises ValueError when a field is impossible.
    """

    path: str
    media_type: str
    parameters: tuple[tuple[str, str], ...] = ()
    disposition: str = ""
    filename: str | None = None
    encoding: str = "7bit"
    content_id: str | None = None
    header_offset: int = 0
    offset: int = 0
    length: int = 0
    language: str = ""
    protection: str = ""

    def __post_init__(self) -> None:
        if not _PATH.match(self.path):
            raise ValueError(f"not a part path: {self.path!r}")
        if not _MEDIA_TYPE.match(self.media_type):
            raise ValueError("a media type is type/subtype in lower case")
        if self.disposition not in _DISPOSITIONS or self.protection not in _PROTECTIONS:
            raise ValueError("unknown disposition or protection")
        if not 0 <= self.header_offset <= self.offset or self.length < 0:
            raise ValueError("a part's header comes before its body, and neither is negative")

    def parameter(self, name: str, default: str = "") -> str:
        """The Content-Type parameter of this (lower-case) name."""
        for key, value in self.parameters:
            if key == name:
                return value
        return default

    @property
    def is_container(self) -> bool:
        """True for a multipart: its body is its children. A message/rfc822 part is none: it can be taken out whole."""
        return self.media_type.startswith("multipart/")

    @property
    def end(self) -> int:
        """The offset of the first octet after the encoded body."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class BestText:
    """The text a reader is shown: the plain and the HTML form of the same thing, either may be missing."""

    plain: Part | None
    html: Part | None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those that are there."""
        return tuple(part for part in (self.plain, self.html) if part is not None)


@dataclass(frozen=True, slots=True)
class PartMap:
    """All parts of one message in the order of their headers, and notes (kinds of defects) for whoever reads it.

    Raises ValueError when there is no part or two have one path.
    """

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    _by_path: Mapping[str, Part] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_path", {part.path: part for part in self.parts})
        if not self.parts or len(self._by_path) != len(self.parts):
            raise ValueError("a part map has at least one part, and each its own path")

    def part(self, path: str) -> Part:
        """The part at this path. Raises KeyError when there is none."""
        return self._by_path[path]

    @property
    def root(self) -> Part:
        """The message's own body: part `TEXT` when it is a multipart, else part `1`."""
        return self.parts[0]

    @property
    def leaves(self) -> tuple[Part, ...]:
        """All parts but multiparts, those inside of attached messages (and these whole) included."""
        return tuple(part for part in self.parts if not part.is_container)

    @property
    def own_parts(self) -> tuple[Part, ...]:
        """The parts of this message itself: an attached message counts as one, what is inside of it does not."""
        inside = tuple(part.path + "." for part in self.parts if part.media_type in MESSAGE_TYPES)
        return tuple(part for part in self.parts if not part.path.startswith(inside))

    @property
    def own_leaves(self) -> tuple[Part, ...]:
        """Those of its own parts that are no multiparts."""
        return tuple(part for part in self.own_parts if not part.is_container)

    def ancestors(self, part: Part) -> tuple[Part, ...]:
        """The parts around this one, the outermost first."""
        pieces = part.path.split(".")
        paths = ["TEXT"]
        for depth in range(1, len(pieces)):
            stem = ".".join(pieces[:depth])
            paths += [stem, stem + ".TEXT"]
        return tuple(self._by_path[path] for path in paths if path in self._by_path and path != part.path)

    def best_text(self) -> BestText:
        """The first text that is not an attachment, and its other form when both stand in one multipart/alternative."""
        texts = [part for part in self.own_leaves if _is_readable(part)]
        if not texts:
            return BestText(None, None)
        around = self.ancestors(texts[0])
        alternative = next((part for part in around if part.media_type == "multipart/alternative"), None)
        group = [texts[0]]
        if alternative is not None:
            group = [part for part in texts if alternative in self.ancestors(part)]
        return BestText(
            plain=next((part for part in group if part.media_type == "text/plain"), None),
            html=next((part for part in group if part.media_type == "text/html"), None),
        )

    def attachments(self) -> tuple[Part, ...]:
        """Every own leaf that is not the best text: with that text they are the whole message, nothing is hidden."""
        shown = self.best_text().parts
        return tuple(part for part in self.own_leaves if part not in shown)

    def to_json(self) -> str:
        """A compact lossless form."""
        rows = [_values(part) for part in self.parts]
        return _write([_VERSION, rows, self.notes])

    @classmethod
    def from_json(cls, text: str) -> PartMap:
        """The part map that `to_json` wrote. Raises ValueError for anything else."""
        try:
            version, rows, notes = json.loads(text)
            if version != _VERSION:
                raise ValueError(f"a part map of form {version!r} is unknown here")
            return cls(tuple(_part_from(row) for row in rows), tuple(str(note) for note in notes))
        except (TypeError, KeyError) as error:
            raise ValueError("not a part map") from error


_values = attrgetter(*(each.name for each in fields(Part)))
_write = json_writer(ensure_ascii=False, separators=(",", ":"))
MESSAGE_TYPES = ("message/rfc822", "message/global")


def _is_readable(part: Part) -> bool:
    return part.media_type in ("text/plain", "text/html") and part.disposition != "attachment"


def _part_from(row: list[object]) -> Part:
    path, media_type, parameters, *rest = row
    if not isinstance(parameters, list):
        raise TypeError("parameters are pairs")
    pairs = tuple((str(name), str(value)) for name, value in parameters)
    return Part(path, media_type, pairs, *rest)  # type: ignore[arg-type]
