"""The objects of a PDF that hold words beside its pages: forms, XFA, annotations, information, XMP, attachments, …"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import pikepdf

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget, Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.unpacking import unzlib

_FIELDS: Final = 5_000
_OBJECTS: Final = 200_000
_GROUP: Final = 4  # characters of a field that holds a piece of a number
_WORDED: Final = ("/Contents", "/RC", "/T", "/TU", "/Subj", "/Title", "/Alt", "/ActualText", "/E", "/V", "/DV", "/Desc",
                  "/JS", "/URI", "/Author", "/Opt", "/Label", "/Name", "/Reason", "/Location", "/ContactInfo", "/F",
                  "/UF")  # fmt: skip
_STRUCTURE: Final = frozenset({"/Page", "/Pages", "/Font", "/FontDescriptor", "/ExtGState", "/Encoding"})


def read_objects(pdf: pikepdf.Pdf, place: str, descent: Descent) -> Iterator[Item]:
    """Every place of words in the objects, each guarded for itself."""
    if len(pdf.objects) > _OBJECTS:
        raise UnreadableError(Unread.OVER_LIMIT, "members")
    yield from guarded(lambda: _fields(pdf, f"{place}, form fields"), place, "pdf")
    yield from guarded(lambda: _information(pdf, f"{place}, document information"), place, "pdf")
    yield from guarded(lambda: _others(pdf, place, descent), place, "pdf")


def _fields(pdf: pikepdf.Pdf, place: str) -> Iterator[Item]:
    """Values of form fields under their full names and tool tips (ISO 32000-1 section 12.7.3)."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return
    found: list[tuple[str, str]] = []
    waiting = [(field, "", 0) for field in reversed(_items(form.get("/Fields")))]
    seen: set[tuple[int, int]] = set()
    while waiting:
        field, above, depth = waiting.pop()
        key = field.objgen
        if not isinstance(field, pikepdf.Dictionary) or (key != (0, 0) and key in seen) or depth > 50:
            continue
        seen.add(key)
        if len(seen) > _FIELDS or len(found) > _FIELDS:
            raise UnreadableError(Unread.OVER_LIMIT, "fields")
        name = ".".join(filter(None, (above, _text(field.get("/T")))))
        label = " ".join(filter(None, (_label(name), _text(field.get("/TU")))))
        value = field.get("/V")
        found += [(label, _flat(one)) for one in _values(value) if one and one != "Off"]
        waiting += [(kid, name, depth + 1) for kid in reversed(_items(field.get("/Kids")))]
    if found:
        yield Chunk("\n".join(f"{label}\t{value}" for label, value in [*found, *_split(found)]), place, Form.FIELDS)


def _split(found: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Numbers that a form takes in several fields: a character each, or a group each."""
    for is_short, run in groupby(found, lambda one: len(one[1]) <= _GROUP and one[1].isalnum()):
        pieces = list(run)
        if is_short and len(pieces) > 1:
            singles = all(len(value) == 1 for _, value in pieces)
            yield pieces[0][0], ("" if singles else "-").join(value for _, value in pieces)


def _information(pdf: pikepdf.Pdf, place: str) -> Iterator[Item]:
    information = pdf.trailer.get("/Info")
    if isinstance(information, pikepdf.Dictionary):
        lines = [f"{key[1:]}\t{_flat(_text(value))}" for key, value in information.items() if _text(value)]
        yield Chunk("\n".join(lines), place, Form.FIELDS)


def _others(pdf: pikepdf.Pdf, place: str, descent: Descent) -> Iterator[Item]:
    """All objects in a row: whatever tree they hang in, or none."""
    words: list[str] = []
    nested: list[tuple[pikepdf.Object, str]] = []
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream):
            kind = _stream_kind(item)
            if kind:
                nested.append((item, kind))
        if isinstance(item, pikepdf.Dictionary) and str(item.get("/Type", "")) not in _STRUCTURE:
            words += _words(item)
        elif isinstance(item, pikepdf.Stream):
            words += _words(item.stream_dict)
        elif isinstance(item, (pikepdf.Array, pikepdf.String)):
            words += [_text(one) for one in (_items(item) if isinstance(item, pikepdf.Array) else [item])]
    if words:
        yield Chunk("\n".join(dict.fromkeys(filter(None, words))), f"{place}, annotations")
    yield from _xfa(pdf, place, descent)
    counts: dict[str, int] = {}
    for stream, kind in nested:
        counts[kind] = counts.get(kind, 0) + 1
        where = f"{place}, {kind} {counts[kind]}"
        yield from guarded(lambda: _stream(stream, kind, where, descent), where, "pdf")  # noqa: B023


def _words(item: Any) -> list[str]:
    """The strings of a dictionary, and of the dictionaries written inside of it."""
    found: list[str] = []
    waiting = [(item, 0)]
    while waiting:
        one, depth = waiting.pop()
        for key, value in one.items():
            if isinstance(value, pikepdf.String) and (key in _WORDED or depth == 0):
                found.append(_text(value))
            elif isinstance(value, pikepdf.Dictionary) and not value.is_indirect and depth < 5:
                waiting.append((value, depth + 1))
            elif isinstance(value, pikepdf.Array) and not value.is_indirect and key in (*_WORDED, "/Names"):
                found += [_text(part) for part in _items(value)]
    return found


def _stream_kind(stream: Any) -> str:
    kind = str(stream.get("/Type", ""))
    if kind == "/EmbeddedFile":
        return "attachment"
    if kind == "/Metadata":
        return "metadata"
    return ""


def _stream(stream: Any, kind: str, place: str, descent: Descent) -> Iterator[Item]:
    octets = stream_octets(stream, descent.budget)
    declared = str(stream.get("/Subtype", ""))[1:].replace("#2F", "/").lower() if kind == "attachment" else "text/xml"
    yield from descent.into(Document(octets, declared, "", place))


def _xfa(pdf: pikepdf.Pdf, place: str, descent: Descent) -> Iterator[Item]:
    """The packets of an XFA form, joined: together they are one XML document (ISO 32000-1 section 12.7.8)."""
    form = pdf.Root.get("/AcroForm")
    packets = form.get("/XFA") if isinstance(form, pikepdf.Dictionary) else None
    if packets is None:
        return
    streams = [packets] if isinstance(packets, pikepdf.Stream) else _items(packets)
    octets = b"".join(stream_octets(one, descent.budget) for one in streams if isinstance(one, pikepdf.Stream))
    yield from descent.into(Document(octets, "application/xml", "", f"{place}, form data"))


def stream_octets(stream: Any, budget: Budget) -> bytes:
    """A stream's content; plain Flate is unpacked by ourselves under the budget, before the library may expand it."""
    raw = stream.read_raw_bytes()
    filters = stream.get("/Filter")
    names = [str(one) for one in _items(filters)] if isinstance(filters, pikepdf.Array) else [str(filters or "")]
    if names == [""]:
        return bytes(raw)
    if names == ["/FlateDecode"] and stream.get("/DecodeParms") is None:
        return unzlib(raw, budget)
    if names[0] == "/FlateDecode":
        unzlib(raw, budget)
    content = bytes(stream.read_bytes())
    budget.expand(len(raw), len(content), len(content))
    return content


def _values(value: Any) -> list[str]:
    if isinstance(value, pikepdf.Stream):
        return [bytes(value.read_bytes())[:1_000_000].decode("utf-8", "replace")]
    if isinstance(value, pikepdf.Array):
        return [_text(one) for one in _items(value)]
    if isinstance(value, pikepdf.Name):
        return [str(value)[1:]]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, pikepdf.String):
        octets = bytes(value)
        return octets.decode("utf-16", "replace") if octets[:2] in (b"\xfe\xff", b"\xff\xfe") else str(value)
    return ""


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, pikepdf.Array) and len(value) <= _OBJECTS else []


def _label(name: str) -> str:
    """A field's full name in words: `topmostSubform[0].Page1[0].f1_1[0]` without its marks."""
    return name.replace("_", " ").replace("[0]", "").replace(".", " ")


def _flat(value: str) -> str:
    return " ".join(value.split())
