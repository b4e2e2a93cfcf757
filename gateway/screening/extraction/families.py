"""Which families of formats a document may belong to: by its octets first, then as declared and by its name."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from gateway.screening.extraction.descent import Document
from gateway.screening.extraction.texts import looks_like_text


class Family(Enum):
    """What one reader reads."""

    TEXT = auto()
    HTML = auto()
    RTF = auto()
    TABLE = auto()
    JSON = auto()
    XML = auto()
    CARD = auto()
    MESSAGE = auto()
    MAILBOX = auto()
    ZIP = auto()
    OLE = auto()
    PDF = auto()
    TNEF = auto()
    PICTURE = auto()
    METAFILE = auto()
    TAR = auto()
    SQUEEZED = auto()  # one packed stream: gz, bz2, xz, Z, zst
    SEVEN_ZIP = auto()
    RAR = auto()
    ARCHIVE = auto()  # what only libarchive reads: cab, iso, lha, cpio, ar, xar
    CMS = auto()
    OPENPGP = auto()
    MEDIA = auto()
    PROGRAM = auto()  # a page that is drawn by running it: PostScript
    SILENT = auto()  # fonts and the like: known, and no place for words


_MAGIC: Final[tuple[tuple[int, bytes, Family], ...]] = (
    (0, b"%PDF-", Family.PDF),
    (0, b"%FDF-", Family.PDF),
    (0, b"%!PS", Family.PROGRAM),
    (0, b"PK\x03\x04", Family.ZIP),
    (0, b"PK\x05\x06", Family.ZIP),
    (0, b"PK\x07\x08", Family.ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Family.OLE),
    (0, b"\x78\x9f\x3e\x22", Family.TNEF),
    (0, b"{\\rt", Family.RTF),
    (0, b"\x89PNG\r\n\x1a\n", Family.PICTURE),
    (0, b"\xff\xd8\xff", Family.PICTURE),
    (0, b"GIF87a", Family.PICTURE),
    (0, b"GIF89a", Family.PICTURE),
    (0, b"II*\x00", Family.PICTURE),
    (0, b"MM\x00*", Family.PICTURE),
    (0, b"II+\x00", Family.PICTURE),
    (0, b"MM\x00+", Family.PICTURE),
    (0, b"BM", Family.PICTURE),
    (0, b"\x00\x00\x01\x00", Family.PICTURE),
    (0, b"\x00\x00\x02\x00", Family.PICTURE),
    (0, b"8BPS", Family.PICTURE),
    (0, b"\x00\x00\x00\x0cjP  ", Family.PICTURE),
    (0, b"\xff\x4f\xff\x51", Family.PICTURE),
    (0, b"\x0a\x05\x01", Family.PICTURE),
    (8, b"WEBP", Family.PICTURE),
    (0, b"\xd7\xcd\xc6\x9a", Family.METAFILE),
    (40, b" EMF", Family.METAFILE),
    (257, b"ustar", Family.TAR),
    (0, b"\x1f\x8b", Family.SQUEEZED),
    (0, b"BZh", Family.SQUEEZED),
    (0, b"\xfd7zXZ\x00", Family.SQUEEZED),
    (0, b"\x5d\x00\x00", Family.SQUEEZED),
    (0, b"\x1f\x9d", Family.SQUEEZED),
    (0, b"\x28\xb5\x2f\xfd", Family.SQUEEZED),
    (0, b"LZIP", Family.SQUEEZED),
    (0, b"\x04\x22\x4d\x18", Family.SQUEEZED),
    (0, b"7z\xbc\xaf\x27\x1c", Family.SEVEN_ZIP),
    (0, b"Rar!\x1a\x07", Family.RAR),
    (0, b"MSCF", Family.ARCHIVE),
    (2, b"-lh5-", Family.ARCHIVE),
    (2, b"-lh0-", Family.ARCHIVE),
    (0, b"!<arch>\n", Family.ARCHIVE),
    (0, b"070701", Family.ARCHIVE),
    (0, b"070707", Family.ARCHIVE),
    (0, b"\xc7\x71", Family.ARCHIVE),
    (0, b"xar!", Family.ARCHIVE),
    (0x8001, b"CD001", Family.ARCHIVE),
    (0, b"ID3", Family.MEDIA),
    (0, b"\xff\xfb", Family.MEDIA),
    (0, b"\xff\xf3", Family.MEDIA),
    (0, b"\xff\xf1", Family.MEDIA),
    (0, b"OggS", Family.MEDIA),
    (0, b"fLaC", Family.MEDIA),
    (8, b"WAVE", Family.MEDIA),
    (8, b"AVI ", Family.MEDIA),
    (0, b"\x1a\x45\xdf\xa3", Family.MEDIA),
    (0, b"#!AMR", Family.MEDIA),
    (0, b"MThd", Family.MEDIA),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Family.MEDIA),
    (0, b"\x00\x01\x00\x00\x00", Family.SILENT),
    (0, b"OTTO", Family.SILENT),
    (0, b"ttcf", Family.SILENT),
    (0, b"wOFF", Family.SILENT),
    (0, b"wOF2", Family.SILENT),
)
# Those that a file may begin with or hold further on, by its first octet.
_BY_FIRST_OCTET: Final = tuple(tuple(row for row in _MAGIC if row[0] > 0 or row[1][0] == first) for first in range(256))
_ISO_PICTURES: Final = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
_BLANKS: Final = b" \t\r\n\x0b\x0c"
# Pictures that begin in letters, and whose white is a letter of Latin-1: Netpbm, and those of X11.
_SIZE: Final = rb"\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s"
_DRAWN = re.compile(
    rb"P[4-6]%b|P1%b[01\s]{60}|P[23]%b\s*\d{1,5}[\d\s]{60}|P7\nWIDTH \d|P[fF]%b|/\* XPM \*/|"
    rb"#define \w+_width \d+\s+#define \w+_height \d" % (_SIZE, _SIZE, _SIZE, _SIZE)
)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|span|p|table|br|font|a|b|i|img|style|script|center"
    rb"|h[1-6]|ul|ol|pre|form|!--)\b|<!--",
    re.IGNORECASE,
)
_XML = re.compile(rb"<(?:\?xml\b|[A-Za-z_][\w.-]*(?::[\w.-]+)?(?:\s+[\w:.-]+\s*=\s*[\"'][^<]{0,2000}?)?/?>)")
_CARD = re.compile(rb"^BEGIN:V(?:CALENDAR|CARD|NOTE)", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(
    rb"(?:received|return-path|mime-version|message-id|from|to|subject|date|delivered-to|dkim-signature|content-type"
    rb"|reply-to|sender|x-[a-z-]{2,40}|arc-seal|authentication-results):[^\n]*\n",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"[!-9;-~]{1,76}:[^\n]*\n(?:[ \t][^\n]*\n)*")
_ARMOR = re.compile(rb"^-----BEGIN (PGP|PKCS7|CMS)\b", re.MULTILINE)
_JSON = re.compile(rb"[\[{]\s*(?:[\"\[{\]}\d-]|true|false|null)")
_OPENPGP_VERSIONS: Final[dict[int, frozenset[int]]] = {
    1: frozenset({2, 3, 6}),
    2: frozenset({3, 4, 5, 6}),
    3: frozenset({4, 5, 6}),
    4: frozenset({3, 6}),
    5: frozenset({3, 4, 5, 6}),
    6: frozenset({2, 3, 4, 5, 6}),
    8: frozenset({0, 1, 2, 3}),
    9: frozenset(range(256)),
    11: frozenset(b"btuml1"),
    18: frozenset({1, 2}),
    20: frozenset({1}),
}

_BY_TYPE: Final = {
    "text/html": Family.HTML,
    "application/xhtml+xml": Family.HTML,
    "text/rtf": Family.RTF,
    "application/rtf": Family.RTF,
    "text/csv": Family.TABLE,
    "text/tab-separated-values": Family.TABLE,
    "application/csv": Family.TABLE,
    "application/json": Family.JSON,
    "application/xml": Family.XML,
    "text/xml": Family.XML,
    "image/svg+xml": Family.XML,
    "text/calendar": Family.CARD,
    "application/ics": Family.CARD,
    "text/vcard": Family.CARD,
    "text/x-vcard": Family.CARD,
    "text/directory": Family.CARD,
    "message/rfc822": Family.MESSAGE,
    "message/global": Family.MESSAGE,
    "application/mbox": Family.MAILBOX,
    "application/pdf": Family.PDF,
    "application/ms-tnef": Family.TNEF,
    "application/vnd.ms-tnef": Family.TNEF,
    "application/x-tar": Family.TAR,
    "application/pkcs7-mime": Family.CMS,
    "application/x-pkcs7-mime": Family.CMS,
    "application/pkcs7-signature": Family.CMS,
    "application/x-pkcs7-signature": Family.CMS,
    "application/pgp-encrypted": Family.TEXT,
    "application/pgp-signature": Family.OPENPGP,
    "application/pgp-keys": Family.OPENPGP,
    "application/zip": Family.ZIP,
}
_BY_EXTENSION: Final = {
    "htm": Family.HTML, "html": Family.HTML, "xhtml": Family.HTML, "rtf": Family.RTF, "csv": Family.TABLE,
    "tsv": Family.TABLE, "tab": Family.TABLE, "json": Family.JSON, "geojson": Family.JSON, "xml": Family.XML,
    "svg": Family.XML, "xsl": Family.XML, "ics": Family.CARD, "vcs": Family.CARD, "ifb": Family.CARD,
    "vcf": Family.CARD, "eml": Family.MESSAGE, "mht": Family.MESSAGE, "mhtml": Family.MESSAGE, "mbox": Family.MAILBOX,
    "pdf": Family.PDF, "tar": Family.TAR, "p7m": Family.CMS, "p7s": Family.CMS, "p7c": Family.CMS, "p7b": Family.CMS,
    "gpg": Family.OPENPGP, "pgp": Family.OPENPGP, "zip": Family.ZIP,
}  # fmt: skip
_OF_TEXT: Final = frozenset({
    Family.HTML, Family.RTF, Family.TABLE, Family.JSON, Family.XML, Family.CARD, Family.MESSAGE, Family.MAILBOX,
    Family.TEXT,
})  # fmt: skip

# Families whose mark at the start is clear enough even where all octets could be letters.
_OF_CLEAR_MARKS: Final = frozenset({Family.PDF, Family.RTF, Family.ZIP, Family.ARCHIVE, Family.PROGRAM})


def plausible(document: Document) -> list[Family]:
    """Every family that the document may be read as, likeliest first; empty when it is nothing that we know."""
    octets = document.octets
    found = _of_octets(octets)
    claimed = _claimed(document)
    if _DRAWN.match(octets):
        return [Family.PICTURE]
    if looks_like_text(octets):
        found = [family for family in found if family in _OF_CLEAR_MARKS]
        found += [family for family in _of_text(octets) if family not in found]
        found += [family for family in claimed if family in _OF_TEXT and family not in found]
        return found or [Family.TEXT]
    if not found:
        found = [family for family in claimed if family not in _OF_TEXT]
    if Family.ZIP not in found and has_zip_end(octets):
        found.append(Family.ZIP)
    return found


def has_zip_end(octets: bytes) -> bool:
    """Whether an archive ends here, whatever began here (APPNOTE 4.3.16)."""
    return octets.rfind(b"PK\x05\x06", max(len(octets) - 65_557, 0)) >= 0


def _claimed(document: Document) -> list[Family]:
    by_type = _BY_TYPE.get(document.declared)
    if by_type is None and document.declared.endswith("+xml"):
        by_type = Family.XML
    if by_type is None and document.declared.endswith("+json"):
        by_type = Family.JSON
    both = (by_type, _BY_EXTENSION.get(document.extension))
    return [family for family in dict.fromkeys(both) if family is not None]


def _of_octets(octets: bytes) -> list[Family]:
    may_be = _BY_FIRST_OCTET[octets[0]] if octets else ()
    found = [family for offset, magic, family in may_be if octets.startswith(magic, offset)]
    if octets[4:8] == b"ftyp":
        brands = {octets[8:12], octets[16:20], octets[20:24]}
        found.append(Family.PICTURE if brands & set(_ISO_PICTURES) else Family.MEDIA)
    if Family.PDF not in found and b"%PDF-" in octets[:1100]:
        found.append(Family.PDF)
    if not found and _is_old_tar(octets):
        found.append(Family.TAR)
    if not found and _is_cms(octets):
        found.append(Family.CMS)
    if not found and _is_openpgp(octets):
        found.append(Family.OPENPGP)
    return list(dict.fromkeys(found))


def _of_text(octets: bytes) -> list[Family]:
    head = octets[:4096].removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip(_BLANKS + b"\xff\xfe")
    found = [family for pattern, family in ((_ARMOR, Family.OPENPGP), (_CARD, Family.CARD)) if pattern.search(head)]
    if Family.OPENPGP in found and _ARMOR.search(head).group(1) != b"PGP":  # type: ignore[union-attr]
        found = [Family.CMS]
    if head.startswith(b"{\\rt"):
        found.append(Family.RTF)
    elif head.startswith(b"<") and (html := _HTML.match(head)):
        found.append(Family.HTML)
        if html.group().lower() == b"<!--" and _XML.search(head):
            found.append(Family.XML)
    elif _XML.match(head):
        found.append(Family.HTML if re.search(rb"<html\b", head, re.IGNORECASE) else Family.XML)
    elif _JSON.match(head):
        found.append(Family.JSON)
    elif head.startswith(b"From ") and _FIELD.match(head.partition(b"\n")[2]):
        found.append(Family.MAILBOX)
    elif _begins_with_headers(head):
        found.append(Family.MESSAGE)
    return found


def _begins_with_headers(head: bytes) -> bool:
    """At least two header fields in a row, one of them of mail: a message, or something like one."""
    fields, place = 0, 0
    is_mail = False
    while fields < 4 and (match := _FIELD.match(head, place)):
        is_mail = is_mail or _HEADER.match(match.group()) is not None
        fields, place = fields + 1, match.end()
    return is_mail and fields >= 3


def _is_old_tar(octets: bytes) -> bool:
    """A header without `ustar` whose checksum is right."""
    block = octets[:512]
    told = re.fullmatch(rb"[ \0]*([0-7]{1,7})[ \0]*", block[148:156])
    if len(block) < 512 or told is None:
        return False
    return int(told.group(1), 8) == sum(block[:148]) + 256 + sum(block[156:])


def _is_cms(octets: bytes) -> bool:
    """ContentInfo: a SEQUENCE that begins with an OID under 1.2.840.113549.1.7 or 1.9.16 (RFC 5652 section 3)."""
    return octets[:1] == b"\x30" and (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07" in octets[:20]
        or b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01" in octets[:22]
    )


def _is_openpgp(octets: bytes) -> bool:
    """A first packet whose tag, length and version fit, and behind it another or the end (RFC 9580 section 4.2)."""
    if len(octets) < 6 or not octets[0] & 0x80:
        return False
    first = octets[0]
    if first & 0x40:
        tag, length = first & 0x3F, octets[1]
        start = 2 if length < 192 or 224 <= length < 255 else 3 if length < 224 else 6
        size = (
            length if length < 192 else (length - 192 << 8) + octets[2] + 192 if length < 224 else 1 << (length & 0x1F)
        )
        size = int.from_bytes(octets[2:6], "big") if length == 255 else size
    else:
        tag, width = first >> 2 & 0x0F, 1 << (first & 3)
        start = 1 + (width if width < 8 else 0)
        size = int.from_bytes(octets[1:start], "big") if width < 8 else len(octets) - 1
    end = start + size
    is_followed = end == len(octets) or (end < len(octets) and (octets[end] & 0x80 or 224 <= octets[1] < 255))
    return tag in _OPENPGP_VERSIONS and bool(is_followed) and octets[start] in _OPENPGP_VERSIONS[tag]
