"""A part while it is being scanned, and a first look at the kinds of content that are signed or encrypted."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from gateway.domain.partmap import Part
from gateway.mime.entity import Entity
from gateway.mime.marks import CALENDAR, LOOK, marks_in, method_mark, octets_wanted
from gateway.mime.structure import Mark

OPAQUE = "application/octet-stream"
# Object identifiers of CMS content types as they stand in DER (RFC 5652 sections 4 to 9, RFC 5083).
_CMS = {
    bytes.fromhex("06092a864886f70d010702"): "signed",
    bytes.fromhex("06092a864886f70d010703"): "encrypted",  # enveloped
    bytes.fromhex("06092a864886f70d010706"): "encrypted",
    bytes.fromhex("060b2a864886f70d0109100117"): "encrypted",  # authenticated and enveloped
}
_CMS_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_BY_TYPE = {
    "multipart/encrypted": "encrypted",
    "multipart/signed": "signed",
    "application/x-microsoft-rpmsg-message": "encrypted",
}
_BY_SMIME_TYPE = {"signed-data": "signed", "enveloped-data": "encrypted", "authenveloped-data": "encrypted"}
_ARMOUR_BEGIN = b"-----BEGIN PGP "
_ARMOUR = {b"\n-----BEGIN PGP MESSAGE-----": "encrypted", b"\n-----BEGIN PGP SIGNED MESSAGE-----": "signed"}
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


class PartDraft:
    """One part whose end has not been seen."""

    __slots__ = ("_entity", "_head", "_length", "_looks", "header_offset", "media_type", "offset", "path")

    def __init__(self, path: str, entity: Entity | None, header_offset: int, offset: int) -> None:
        self.path = path
        self.media_type = entity.media_type if entity is not None else OPAQUE
        self.header_offset = header_offset
        self.offset = offset
        self._entity = entity
        self._length = 0
        self._head = b""
        self._looks = 0
        if entity is not None:
            wanted = octets_wanted(self.media_type, entity.filename, entity.disposition)
            self._looks = wanted or (LOOK if self.media_type == "text/plain" or self._may_be_cms() else 0)

    @classmethod
    def opaque(cls, path: str, offset: int) -> PartDraft:
        """A leaf that nobody looks into."""
        return cls(path, None, offset, offset)

    @property
    def is_read(self) -> bool:
        """True when this part's header was read: it is no opaque rest of a message."""
        return self._entity is not None

    @property
    def wants_more(self) -> int:
        """How many octets of its body it still wants to look at."""
        return self._looks - len(self._head)

    def take(self, octets: bytes) -> None:
        """Look at the next octets of its body."""
        self._head = self._head + octets if self._head else octets

    def close(self, end: int) -> None:
        """The encoded body ends at this offset."""
        self._length = max(end - self.offset, 0)

    def become_text(self) -> None:
        """Read as text what was declared a multipart and has no parts."""
        self.media_type = "text/plain"
        self.path = self.path.removesuffix("TEXT") + "1" if self.path.endswith("TEXT") else self.path

    def disagrees(self) -> bool:
        """True when it declares another kind of CMS than its content is."""
        declared = self._declared()
        return bool(declared) and self._seen() not in ("", declared)

    def marks(self) -> Iterator[Mark]:
        """What it tells of the mail it stands in. A text or calendar object that is a file to keep tells nothing."""
        entity = self._entity
        if entity is None or (entity.disposition == "attachment" and self.media_type.startswith("text/")):
            return
        method = dict(entity.parameters).get("method", "") if self.media_type == CALENDAR else ""
        if method:
            yield from method_mark(method)
        elif self._head:
            yield from marks_in(self.media_type, entity.filename, entity.encoding, self._head)

    def part(self) -> Part:
        """The finished part."""
        entity = self._entity
        if entity is None:
            return Part(
                path=self.path,
                media_type=OPAQUE,
                encoding="binary",
                header_offset=self.header_offset,
                offset=self.offset,
                length=self._length,
            )
        return Part(
            path=self.path,
            media_type=self.media_type,
            parameters=entity.parameters,
            disposition=entity.disposition,
            filename=entity.filename,
            encoding=entity.encoding,
            content_id=entity.content_id,
            header_offset=self.header_offset,
            offset=self.offset,
            length=self._length,
            language=entity.language,
            protection=self._seen() or self._declared(),
        )

    def _may_be_cms(self) -> bool:
        if self._entity is None:
            return False
        return self.media_type in _CMS_TYPES or (self._entity.filename or "").lower().endswith(".p7m")

    def _declared(self) -> str:
        if self._entity is None:
            return ""
        if (self._entity.filename or "").lower() == "message.rpmsg":
            return "encrypted"
        kind = dict(self._entity.parameters).get("smime-type", "").lower() if self.media_type in _CMS_TYPES else ""
        return _BY_TYPE.get(self.media_type) or _BY_SMIME_TYPE.get(kind, "")

    def _seen(self) -> str:
        """What the first octets are. Only the first 64 of the content are searched for the identifier of its kind."""
        if self._entity is None or not self._head:
            return ""
        head = self._head[:LOOK]
        head = _decoded(head) if self._entity.encoding == "base64" else head
        if self._may_be_cms():
            return next((kind for identifier, kind in _CMS.items() if identifier in head[:64]), "")
        if _ARMOUR_BEGIN not in head:
            return ""
        return next((kind for line, kind in _ARMOUR.items() if line in b"\n" + head), "")


def _decoded(head: bytes) -> bytes:
    clean = _NOT_BASE64.sub(b"", head)
    return binascii.a2b_base64(clean[: len(clean) - len(clean) % 4])
