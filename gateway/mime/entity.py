"""From the fields of one header block to what the part is (RFC 2045, RFC 2046, RFC 2183), and what is odd about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from gateway.mime.charsets import codec_for
from gateway.mime.headerblock import HeaderBlock
from gateway.mime.parameters import Parameterised, parse_content_type, parse_disposition, strip_comments
from gateway.mime.structure import Defect, DefectKind, Limits
from gateway.mime.words import count_words, decode_words, unfold, word_oddities

IDENTITY = ("7bit", "8bit", "binary")
ENCODINGS = (*IDENTITY, "base64", "quoted-printable")
_UUENCODE = ("x-uuencode", "x-uue", "uuencode")
_KEPT = frozenset(
    "charset name boundary format delsp method type start protocol micalg smime-type report-type access-type component "
    "reply-type number total id".split()
)
_MAIN_TYPES = ("application", "audio", "font", "haptics", "image", "message", "model", "multipart", "text", "video")
# What the body of nearly every mail is: read once, since it holds no name that a sender chose.
_PLAIN_TYPE = re.compile(
    rb" ?text/(?:plain|html)(?:; ?charset=(?:[A-Za-z0-9._-]{1,40}|\"[A-Za-z0-9._-]{1,40}\"))?(?:; ?format=flowed)?\Z"
)
_PLAIN_ENCODINGS = {b" " + name.encode("ascii"): name for name in ENCODINGS}
_MAX_VALUE = 998
_MAX_BOUNDARY = 200  # RFC 2046 section 5.1.1 allows 70; what no line could hold is no boundary
_MULTIPART_LIKE = re.compile(r"(?=m)[mulitpar_.-]{6,14}\Z|.*multipart.*\Z|.*multi-?part.*\Z")
_ADDRESS_LISTS = frozenset("to cc bcc reply-to resent-to resent-cc resent-bcc".split())
_STRUCTURED = frozenset(
    "from sender resent-from resent-sender date message-id in-reply-to references mime-version content-type "
    "content-transfer-encoding content-disposition content-id content-language".split()
)
_WORDS_READ_IN = frozenset("subject comments keywords from sender to cc bcc reply-to content-description".split())


class Entity(NamedTuple):
    """What a header block says of its part: a tuple, as `Header` is.

    `boundary` is None unless the part is a multipart that can be opened.
    """

    media_type: str
    parameters: tuple[tuple[str, str], ...]
    disposition: str
    filename: str | None
    encoding: str
    content_id: str | None
    language: str
    boundary: bytes | None
    defects: tuple[Defect, ...]


def describe(block: HeaderBlock, path: str, default_type: str, limits: Limits) -> Entity:
    """Read the fields that say what a part is. `default_type` is what it is when none does (RFC 2046 section 5.1.5)."""
    is_small = block.length <= min(limits.structured_header, limits.address_list)
    defects: list[Defect] = []
    if block.may_have_words or not is_small:
        defects += _cap_defects(block, path, limits)
    content_type = _content_type(block, path, default_type, limits, defects)
    encoding = _encoding(block, path, defects)
    disposition, filename = _disposition(block, path, content_type, limits, defects)
    media_type, boundary = _boundary(content_type, path, defects)
    charset = content_type.parameter("charset")
    if charset and codec_for(charset) is None:
        defects.append(Defect(DefectKind.UNKNOWN_CHARSET, path))
    if encoding not in IDENTITY and media_type.startswith(("multipart/", "message/")):
        defects.append(Defect(DefectKind.ENCODED_COMPOSITE, path, encoding if encoding in ENCODINGS else ""))
    kept = tuple((name, value[:_MAX_VALUE]) for name, value in content_type.parameters if name in _KEPT)
    return Entity(
        media_type=media_type,
        parameters=kept,
        disposition=disposition,
        filename=filename,
        encoding=encoding,
        content_id=_short(block.value("content-id"), limits),
        language=(_short(block.value("content-language"), limits) or "")[:100],
        boundary=boundary,
        defects=tuple(defects),
    )


def _cap_defects(block: HeaderBlock, path: str, limits: Limits) -> Iterator[Defect]:
    seen: set[str] = set()
    for header in block.headers:
        name = header.key
        cap = limits.structured_header if name in _STRUCTURED else len(header.value)
        cap = limits.address_list if name in _ADDRESS_LISTS else cap
        if len(header.value) > cap:
            kind = "address_list" if name in _ADDRESS_LISTS else "structured_header"
            yield Defect(DefectKind.OVER_CAP, path, kind, header.offset, header.length)
        if b"=?" not in header.value:
            continue
        if count_words(header.value) > limits.encoded_words:
            yield Defect(DefectKind.OVER_CAP, path, "encoded_words", header.offset, header.length)
        elif name in _WORDS_READ_IN:
            for oddity in dict.fromkeys(word_oddities(header.value)):
                if oddity not in seen:
                    seen.add(oddity)
                    yield Defect(DefectKind.ODD_ENCODED_WORD, path, oddity, header.offset, header.length)


def _content_type(
    block: HeaderBlock, path: str, default_type: str, limits: Limits, defects: list[Defect]
) -> Parameterised:
    raw = block.value("content-type")
    if raw is None:
        return Parameterised(default_type)
    if _PLAIN_TYPE.match(raw):
        return _plain_type(raw)
    parsed = parse_content_type(raw[: limits.structured_header], limit=limits.parameters)
    defects += _oddities(parsed, DefectKind.ODD_CONTENT_TYPE, path)
    if not parsed.token:
        defects.append(Defect(DefectKind.BAD_CONTENT_TYPE, path))
        if _is_misspelt(unfold(raw)[:60].decode("latin-1").lower(), parsed):
            defects.append(Defect(DefectKind.MISSPELT_MULTIPART, path))
        return Parameterised("text/plain", parsed.parameters)  # RFC 2045 section 5.2
    main = parsed.token.partition("/")[0]
    if main == "multipart" and b"boundary*" in raw.lower():
        defects.append(Defect(DefectKind.ODD_BOUNDARY, path, "rfc2231"))
    if main != "multipart" and _is_misspelt(main, parsed):
        defects.append(Defect(DefectKind.MISSPELT_MULTIPART, path))
    elif main not in _MAIN_TYPES and not main.startswith("x-"):
        defects.append(Defect(DefectKind.ODD_CONTENT_TYPE, path, "unknown_type"))
    return parsed


@lru_cache(256)
def _plain_type(raw: bytes) -> Parameterised:
    return parse_content_type(raw)


def _is_misspelt(written: str, parsed: Parameterised) -> bool:
    main = re.split(r"[/;\s]", written, maxsplit=1)[0]
    if main == "multipart":
        return not parsed.token
    return parsed.parameter("boundary") is not None or (
        main not in _MAIN_TYPES and _MULTIPART_LIKE.match(main) is not None
    )


def _boundary(content_type: Parameterised, path: str, defects: list[Defect]) -> tuple[str, bytes | None]:
    """The media type to go by and the boundary. A multipart that names none is text (RFC 2045 section 5.2)."""
    if not content_type.token.startswith("multipart/"):
        return content_type.token, None
    written = content_type.parameter("boundary") or ""
    boundary = written.rstrip(" \t")
    if not boundary or len(boundary) > _MAX_BOUNDARY:
        defects.append(Defect(DefectKind.MISSING_BOUNDARY, path))
        return "text/plain", None
    if len(boundary) > 70 or boundary != written or not boundary.isascii() or boundary.endswith("--"):
        defects.append(Defect(DefectKind.ODD_BOUNDARY, path))
    return content_type.token, boundary.encode("utf-8", "replace")


def _encoding(block: HeaderBlock, path: str, defects: list[Defect]) -> str:
    raw = block.value("content-transfer-encoding")
    if raw is None:
        return "7bit"
    if raw in _PLAIN_ENCODINGS:
        return _PLAIN_ENCODINGS[raw]
    written = unfold(raw)[:200]
    token = strip_comments(written)[0].strip(b" \t").decode("latin-1").lower()
    if token in ENCODINGS:
        if len(token) != len(written):
            defects.append(Defect(DefectKind.ODD_ENCODING, path, "comment"))
        return token
    plain = token.split(";")[0].strip("\"' \t")
    if plain in ENCODINGS:
        defects.append(Defect(DefectKind.ODD_ENCODING, path, "junk"))
        return plain
    defects.append(Defect(DefectKind.UNKNOWN_ENCODING, path))
    if plain in _UUENCODE:
        return "x-uuencode"
    return "unknown"


def _disposition(
    block: HeaderBlock, path: str, content_type: Parameterised, limits: Limits, defects: list[Defect]
) -> tuple[str, str | None]:
    """The disposition (one that is unknown counts as attachment, RFC 2183 section 2.8) and the file name."""
    name = content_type.parameter("name")
    raw = block.value("content-disposition")
    if raw is None:
        return "", _file_name(name)
    parsed = parse_disposition(raw[: limits.structured_header], limit=limits.parameters)
    defects += _oddities(parsed, DefectKind.ODD_DISPOSITION, path)
    disposition = parsed.token
    if disposition not in ("inline", "attachment"):
        disposition = "attachment"
        defects.append(Defect(DefectKind.ODD_DISPOSITION, path, "unknown_type"))
    filename = parsed.parameter("filename")
    if filename is not None and name is not None and filename != name:
        defects.append(Defect(DefectKind.FILENAME_DISAGREES, path))
    chosen = name if filename is None else filename
    return disposition, _file_name(chosen)


def _oddities(parsed: Parameterised, kind: DefectKind, path: str) -> Iterator[Defect]:
    for oddity in parsed.oddities:
        if oddity == "too_many":
            yield Defect(DefectKind.OVER_CAP, path, "parameters")
        else:
            yield Defect(kind, path, oddity)


def _file_name(name: str | None) -> str | None:
    return name[:_MAX_VALUE].strip() or None if name else None


def _short(raw: bytes | None, limits: Limits) -> str | None:
    if raw is None:
        return None
    return decode_words(raw[: limits.structured_header])[:_MAX_VALUE] or None
