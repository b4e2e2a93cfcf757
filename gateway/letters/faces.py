"""The typeface of what we print, Atkinson Hyperlegible: what a TrueType file tells of it, and how it is embedded.

Its letters are drawn to be told apart by people who see little, and by whoever reads a reference off a fax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from struct import iter_unpack, unpack_from
from typing import Final

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

_PACKAGE: Final = "fontpkg_atkinson_hyperlegible"
_THOUSAND: Final = 1000  # a PDF measures glyphs in thousandths (ISO 32000-1 section 9.2.4)
_SYMBOLIC: Final = 4
_CMAP_BLOCK: Final = 100


class NoGlyph(ValueError):
    """The typeface does not have a character."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face: its file, the glyph of each character, the width of each glyph in thousandths of its size, its box."""

    name: str
    octets: bytes
    glyphs: Mapping[int, int]
    widths: tuple[int, ...]
    box: tuple[int, ...]
    ascent: int
    descent: int
    capital: int

    def codes(self, text: str) -> list[int]:
        """Return the glyph of each character. Raises NoGlyph."""
        found = [self.glyphs.get(ord(one), 0) for one in text]
        if 0 in found:
            raise NoGlyph(f"The typeface has no {text[found.index(0)]!r}.")
        return found

    def width(self, text: str, size: float) -> float:
        """Return how wide a line is, in points. Raises NoGlyph."""
        return sum(self.widths[code] for code in self.codes(text)) * size / _THOUSAND

    def embed(self, pdf: Pdf, used: Mapping[int, str]) -> Object:
        """Add the face to a document; `used` are the characters of the glyphs on its pages. Return its dictionary.

        Text is written as glyph numbers of two octets each (ISO 32000-1 section 9.7.5.2).
        """
        name = Name(f"/{self.name}")
        file = Stream(pdf, self.octets)
        file.Length1 = len(self.octets)
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=name, Flags=_SYMBOLIC, FontBBox=Array(self.box), ItalicAngle=0,
            Ascent=self.ascent, Descent=self.descent, CapHeight=self.capital, StemV=80,
            FontFile2=pdf.make_indirect(file),
        )  # fmt: skip
        widths: list[int | Array] = []
        for code in sorted(used):
            widths += [code, Array([self.widths[code]])]
        inner = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=name, CIDToGIDMap=Name.Identity,
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            FontDescriptor=pdf.make_indirect(descriptor), W=Array(widths),
        )  # fmt: skip
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font, Subtype=Name.Type0, BaseFont=name, Encoding=Name("/Identity-H"),
                DescendantFonts=Array([pdf.make_indirect(inner)]),
                ToUnicode=pdf.make_indirect(Stream(pdf, _to_unicode(used))),
            )
        )  # fmt: skip


@cache
def regular() -> Face:
    """Return the face of running text."""
    return _load("Regular")


@cache
def bold() -> Face:
    """Return the face of headings and references."""
    return _load("Bold")


def _load(style: str) -> Face:
    name = f"AtkinsonHyperlegible-{style}"
    return read_face(name, (files(_PACKAGE) / "files" / f"{name}.ttf").read_bytes())


def read_face(name: str, octets: bytes) -> Face:
    """Read a TrueType file (OpenType 1.9: head, hhea, hmtx, OS/2, and a cmap of format 4 for Unicode).

    Raises ValueError for one without such a cmap, and struct.error or KeyError for what is no such file.
    """
    (count,) = unpack_from(">H", octets, 4)
    tables = {tag: offset for tag, _, offset, _ in iter_unpack(">4sLLL", octets[12 : 12 + 16 * count])}
    (per_em,) = unpack_from(">H", octets, tables[b"head"] + 18)

    def scaled(*measures: int) -> tuple[int, ...]:
        return tuple(round(one * _THOUSAND / per_em) for one in measures)

    (metrics,) = unpack_from(">H", octets, tables[b"hhea"] + 34)
    advances = [width for width, _ in iter_unpack(">Hh", octets[tables[b"hmtx"] : tables[b"hmtx"] + 4 * metrics])]
    (glyphs,) = unpack_from(">H", octets, tables[b"maxp"] + 4)
    advances += [advances[-1]] * (glyphs - metrics)
    (capital,) = scaled(*unpack_from(">h", octets, tables[b"OS/2"] + 88))
    ascent, descent = scaled(*unpack_from(">hh", octets, tables[b"hhea"] + 4))
    box = scaled(*unpack_from(">4h", octets, tables[b"head"] + 36))
    return Face(name, octets, _glyphs(octets, tables[b"cmap"]), scaled(*advances), box, ascent, descent, capital)


def _glyphs(octets: bytes, cmap: int) -> Mapping[int, int]:
    """Return the glyph of each character, by the subtable for Unicode's first plane."""
    (count,) = unpack_from(">H", octets, cmap + 2)
    offsets = {(one, two): at for one, two, at in iter_unpack(">HHL", octets[cmap + 4 : cmap + 4 + 8 * count])}
    start = cmap + offsets.get((3, 1), 0)
    if (3, 1) not in offsets or unpack_from(">H", octets, start) != (4,):
        raise ValueError("a face has a cmap of format 4 for Unicode")
    (twice,) = unpack_from(">H", octets, start + 6)
    many = twice // 2
    ends = unpack_from(f">{many}H", octets, start + 14)
    firsts = unpack_from(f">{many}H", octets, start + 16 + twice)
    deltas = unpack_from(f">{many}H", octets, start + 16 + 2 * twice)
    ranges_at = start + 16 + 3 * twice
    found: dict[int, int] = {}
    for place, (first, end, delta) in enumerate(zip(firsts, ends, deltas, strict=True)):
        at = ranges_at + 2 * place
        (span,) = unpack_from(">H", octets, at)
        for character in range(first, min(end, 0xFFFE) + 1):
            code = character if not span else unpack_from(">H", octets, at + span + 2 * (character - first))[0]
            if code:
                found[character] = (code + delta) & 0xFFFF
    return found


def _to_unicode(used: Mapping[int, str]) -> bytes:
    """Return the CMap that tells which character a glyph stands for (ISO 32000-1 section 9.10.3)."""
    lines = [
        f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>" for code, character in sorted(used.items())
    ]
    blocks = [lines[at : at + _CMAP_BLOCK] for at in range(0, len(lines), _CMAP_BLOCK)]
    told = [f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks]
    head = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
    )
    foot = "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    return (head + "\n".join(told) + foot).encode("ascii")
