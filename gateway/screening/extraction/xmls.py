"""XML without its dangers: no external entity, no entity of weight, no depth without end. And the reader of XML."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol
from xml.parsers import expat

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError
from gateway.screening.extraction.markup import embedded_data
from gateway.screening.extraction.texts import readings

_DEEPEST: Final = 1_000
_ENTITIES: Final = 64
_ENTITY_SIZE: Final = 200


class Listener(Protocol):
    """What a walk through XML tells. Names come as (namespace, local name)."""

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        """An element begins. Attributes come by local name."""

    def closed(self, space: str, name: str) -> None:
        """An element ends."""

    def told(self, text: str) -> None:
        """Character data, a comment or a processing instruction's words."""


def walk(octets: bytes, listener: Listener) -> None:
    """Tell a listener of every element and text. Raises UnreadableError: CORRUPT when it is not well formed,
    OVER_LIMIT for entities that could grow and for depth.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    _Wiring(listener).attach(parser)
    try:
        parser.Parse(octets, True)
    except expat.ExpatError as problem:
        raise UnreadableError(Unread.CORRUPT, "xml") from problem


class _Wiring:
    """expat's handlers over a listener, with the limits."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._depth = 0
        self._entities = 0

    def attach(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._listener.told
        parser.CommentHandler = self._aside
        parser.ProcessingInstructionHandler = lambda target, data: self._aside(f"{target} {data}")
        parser.EntityDeclHandler = self._declare

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableError(Unread.OVER_LIMIT, "depth")
        space, _, local = name.rpartition(" ")
        self._listener.opened(space, local, {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def _close(self, name: str) -> None:
        self._depth -= 1
        space, _, local = name.rpartition(" ")
        self._listener.closed(space, local)

    def _aside(self, words: str) -> None:
        self._listener.told(f" {words} ")

    def _declare(self, _name: str, _is_parameter: bool, value: str | None, *_others: str | None) -> None:
        """A short entity without another inside (as drawing programs declare) is harmless; any other may explode."""
        self._entities += 1
        if value is None:
            return  # external: never fetched, and its references are skipped
        if self._entities > _ENTITIES or len(value) > _ENTITY_SIZE or "&" in value or "%" in value:
            raise UnreadableError(Unread.OVER_LIMIT, "entities")


@dataclass(slots=True)
class _Leaf:
    name: str
    words: list[str] = field(default_factory=list)
    has_children: bool = False
    groups: list[str] = field(default_factory=list)  # of digits, an element each


class _Fields:
    """Leaf elements and attributes as label and value; and the running text, when words and elements are mixed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.running: list[str] = []
        self.packed: list[str] = []
        self.is_mixed = False
        self._open: list[_Leaf] = []

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        del space
        if self._open:
            self._open[-1].has_children = True
        self._open.append(_Leaf(name))
        label = attributes.get("name") or attributes.get("label") or attributes.get("title") or ""
        for key, value in attributes.items():
            if key in _DRAWN:
                continue
            self.lines.append(f"{name} {label if key != 'name' else ''} {key}\t{' '.join(value.split())}")
        self.running.append(" " if name not in _INLINE else "")

    def closed(self, space: str, name: str) -> None:
        del space
        leaf = self._open.pop()
        words = " ".join("".join(leaf.words).split())
        if words:
            parent = f"{self._open[-1].name} " if self._open else ""
            if self._open and _GROUP.match(words):
                self._open[-1].groups.append(words)
            self.lines.append(f"{parent}{leaf.name}\t{words}")
            self.is_mixed = self.is_mixed or leaf.has_children or name in _RUNS
            if name in _PACKED and len(words) > _SHORTEST:
                self.packed.append("".join(leaf.words))
        if 3 <= len(leaf.groups) <= _MOST_GROUPS:
            self.lines.append(f"{name}\t{'-'.join(leaf.groups)}")
        self.running.append("\n" if name not in _INLINE else "")

    def told(self, text: str) -> None:
        if self._open:
            self._open[-1].words.append(text)
        else:
            self.lines.append(f"\t{' '.join(text.split())}")
        self.running.append(text)


_DRAWN: Final = frozenset({"d", "points", "transform", "viewBox"})
_RUNS: Final = frozenset("t p span".split())  # text that programs cut into pieces anywhere
_PACKED: Final = frozenset({"binData", "binaryData", "binary-data"})  # files in Office's XML of one piece, as base64
_SHORTEST: Final = 16
_GROUP = re.compile(r"\d{1,5}\Z")
_MOST_GROUPS: Final = 9
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
_INLINE: Final = frozenset("b i u em strong span tspan font a sub sup r t".split())


def read_xml(document: Document, descent: Descent) -> Iterator[Item]:
    """Any XML: leaves and attributes as fields, mixed text as it runs, embedded data; not well formed: as markup."""
    listener = _Fields()
    try:
        walk(document.octets, listener)
    except UnreadableError as problem:
        if problem.why is not Unread.CORRUPT:
            raise
        for text in readings(document.octets):
            yield Chunk(text, document.place, Form.HTML)
        return
    yield Chunk("\n".join(listener.lines), document.place, Form.FIELDS)
    if listener.is_mixed:
        yield Chunk("".join(listener.running), document.place)
    for count, packed in enumerate(listener.packed, 1):
        octets = binascii.a2b_base64(_NOT_BASE64.sub("", packed))
        yield from descent.into(Document(octets, "", "", f"{document.place}, embedded object {count}"))
    if b"data:" in document.octets:
        yield from embedded_data("\n".join(listener.lines), document.place, descent)
