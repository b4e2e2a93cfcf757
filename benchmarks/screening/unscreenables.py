"""Mail that nobody can look into: locked, broken, over every limit, or of no known kind."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

import pikepdf
import py7zr
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from benchmarks.screening import files, filler, letters, office, ole, packing, parts, pdfs
from benchmarks.screening.files import File
from benchmarks.screening.letters import Letter
from benchmarks.screening.openpgp import armour, packet
from benchmarks.screening.parts import Part, token
from benchmarks.screening.passages import Passage, passage
from benchmarks.screening.sample import Label, Sample


def _passage(rng: Random) -> Passage:
    return passage(rng, "ssn", "labelled", "en", lambda text: text)


def _inner(rng: Random) -> File:
    return packing.inner(rng, _passage(rng))


def zip_locked(rng: Random) -> File:
    """Traditional PKWARE encryption: flag bit 0, and octets that mean nothing without the password."""
    made = _inner(rng)
    packed = rng.randbytes(12 + len(zlib.compress(made.octets)))
    called = made.name.encode()
    head = struct.pack(
        "<HHHHHIII", 20, 1, 8, 0x4820, 0x5A25, zlib.crc32(made.octets), len(packed), len(made.octets)
    ) + struct.pack("<HH", len(called), 0)
    local = b"PK\3\4" + head + called + packed
    central = b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + called
    return File(
        files.name(rng, "zip"),
        "application/zip",
        local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0),
    )


def pdf_locked(rng: Random) -> File:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdfs.text(rng, _passage(rng)).octets)) as document:
        document.save(
            made, encryption=pikepdf.Encryption(owner=token(rng, 9), user=token(rng, 9), R=rng.choice([4, 6]))
        )
    return File(files.name(rng, "pdf"), "application/pdf", made.getvalue())


def office_locked(rng: Random) -> File:
    """An OOXML file with a password is a compound file with EncryptionInfo and EncryptedPackage (MS-OFFCRYPTO)."""
    info = (
        struct.pack("<HHI", 4, 4, 0x40)
        + b'<?xml version="1.0"?><encryption xmlns="http://schemas.microsoft.com/office/2006/encryption"></encryption>'
    )
    octets = ole.compound({"EncryptionInfo": info, "EncryptedPackage": struct.pack("<Q", 9000) + rng.randbytes(9216)})
    ending, kind = rng.choice(
        [
            ("docx", "vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("xlsx", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ]
    )
    return File(files.name(rng, ending), f"application/{kind}", octets)


def seven_locked(rng: Random) -> File:
    made, inner = io.BytesIO(), _inner(rng)
    with py7zr.SevenZipFile(made, "w", password=token(rng, 8), header_encryption=rng.random() < 0.5) as archive:
        archive.writestr(inner.octets, inner.name)
    return File(files.name(rng, "7z"), "application/x-7z-compressed", made.getvalue())


def truncated(rng: Random) -> File:
    """Any file cut off in its middle."""
    # A cut PDF or archive has lost its index; what is left of it is not all there was.
    maker = rng.choice(
        [packing.zip_file, office.MAKERS["docx"][0], office.MAKERS["xlsx"][0], packing.seven_zip, packing.nested_zip]
    )
    made = maker(rng, _passage(rng))
    return File(made.name, made.media_type, made.octets[: int(len(made.octets) * rng.uniform(0.3, 0.8))])


def damaged(rng: Random) -> File:
    """A compressed file with octets overwritten."""
    made = rng.choice([packing.squeezed, office.MAKERS["docx"][0]])(rng, _passage(rng))
    raw = bytearray(made.octets)
    for at in range(len(raw) // 3, len(raw) // 3 + max(len(raw) // 10, 8)):
        raw[at % len(raw)] ^= 0xA5
    return File(made.name, made.media_type, bytes(raw))


def bomb(rng: Random) -> File:
    """A gigabyte and more in a few hundred kilobytes, or archives in archives in archives."""
    if rng.random() < 0.5:
        zeros = gzip.compress(bytes(100_000_000), 9, mtime=0)
        return File("logs.gz", "application/gzip", zeros)
    made = File("0.txt", "text/plain", bytes(30_000_000))
    for at in range(3):
        made = File(
            f"{at}.zip",
            "application/zip",
            packing.zipped([File(f"{copy}_{made.name}", made.media_type, made.octets) for copy in range(9)]),
        )
    return made


def too_deep(rng: Random) -> File:
    made = File("a.txt", "text/plain", b"nothing")
    for at in range(rng.randint(25, 60)):
        made = File(f"{at}.zip", "application/zip", packing.zipped([made]))
    return File(files.name(rng, "zip"), "application/zip", made.octets)


def unknown_binary(rng: Random) -> File:
    return File(
        files.name(rng, rng.choice(["dat", "bin", "xyz", "enc"])),
        "application/octet-stream",
        rng.randbytes(rng.randint(2_000, 40_000)),
    )


def openpgp(rng: Random) -> File:
    """An encrypted OpenPGP message (RFC 9580): a public-key session key packet, then encrypted data."""
    session = b"\x03" + rng.randbytes(8) + b"\x01" + struct.pack(">H", 2048) + b"\x80" + rng.randbytes(255)
    octets = packet(1, session) + packet(18, b"\x01" + rng.randbytes(600))
    return File("message.gpg", "application/octet-stream", octets)


def heavy_zip(rng: Random) -> File:
    """Ten thousand members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for at in range(10_000):
            archive.writestr(zipfile.ZipInfo(f"{at}.txt", (2026, 1, 5, 9, 0, 0)), b"x")
    return File(files.name(rng, "zip"), "application/zip", made.getvalue())


FILES: dict[str, Callable[[Random], File]] = {
    "zip with password": zip_locked, "pdf with password": pdf_locked, "office with password": office_locked, "7z with password": seven_locked, "truncated": truncated, "damaged": damaged, "bomb": bomb,
    "too deep": too_deep, "unknown binary": unknown_binary, "openpgp file": openpgp, "too many members": heavy_zip,
}  # fmt: skip


def _part_of_message(letter: Letter) -> None:
    """message/partial: the rest comes, or came, in another mail (RFC 2046 section 5.2.2)."""
    ident = f"{token(letter.rng, 12)}@{letter.writer.domain}"
    letter.own_text = Part(
        (f'Content-Type: message/partial; id="{ident}"; number=1; total=3',),
        b"Subject: documents\r\n\r\n" + filler.paragraph(letter.rng, "en").encode() + b"\r\n",
    )


def _elsewhere(letter: Letter) -> None:
    """message/external-body: the content lies on another machine (RFC 2046 section 5.2.3)."""
    kind = f'Content-Type: message/external-body; access-type=URL;\r\n URL="https://files.{letter.writer.domain}/{token(letter.rng, 12)}"'
    letter.attachments.append(Part((kind,), b"Content-Type: application/pdf\r\n\r\n"))


def _smime(letter: Letter) -> None:
    """Enveloped CMS (RFC 8551): a SEQUENCE with the OID of envelopedData in front."""
    body = (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x82" + struct.pack(">H", 1500) + letter.rng.randbytes(1500)
    )
    octets = b"\x30\x82" + struct.pack(">H", len(body)) + body
    kind = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=smime.p7m"
    letter.own_text = Part(
        (kind, "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=smime.p7m"),
        parts.in_base64(octets),
    )


def _pgp_mime(letter: Letter) -> None:
    """multipart/encrypted (RFC 3156)."""
    raw = openpgp(letter.rng).octets
    version = Part(("Content-Type: application/pgp-encrypted",), b"Version: 1\r\n")
    data = Part(
        ("Content-Type: application/octet-stream; name=encrypted.asc",), parts.crlf(armour("MESSAGE", raw)).encode()
    )
    letter.own_text = parts.multipart(
        letter.rng, "encrypted", [version, data], extra=';\r\n protocol="application/pgp-encrypted"'
    )


def _pgp_inline(letter: Letter) -> None:
    said = parts.crlf(armour("MESSAGE", openpgp(letter.rng).octets))
    letter.form = "plain"
    letter.own_text = Part(("Content-Type: text/plain; charset=us-ascii",), said.encode())


def _many_parts(letter: Letter) -> None:
    small = [Part(("Content-Type: text/plain",), b"x\r\n") for _ in range(letter.rng.choice([3_000, 20_000]))]
    letter.own_text = parts.multipart(letter.rng, "mixed", small)


def _nested(letter: Letter) -> None:
    """Messages in messages, many more than anybody forwards."""
    octets = b"Subject: x\r\n\r\nend\r\n"
    for _ in range(letter.rng.choice([60, 400, 2000])):
        octets = b"Content-Type: message/rfc822\r\n\r\n" + octets
    letter.attachments.append(Part(("Content-Type: message/rfc822",), octets))


def _aes_body(letter: Letter) -> None:
    """A body that some tool encrypted and calls a text."""
    sealed = (
        Cipher(algorithms.AES(letter.rng.randbytes(32)), modes.CTR(bytes(16)))
        .encryptor()
        .update(filler.paragraph(letter.rng, "en", 9).encode() * 9)
    )
    letter.attachments.append(
        parts.attached(letter.rng, "body.txt.enc", "application/octet-stream", b"Salted__" + sealed)
    )


WRITERS: dict[str, Callable[[Letter], None]] = {
    "message/partial": _part_of_message, "external body": _elsewhere, "smime enveloped": _smime, "pgp/mime": _pgp_mime, "pgp inline": _pgp_inline, "many parts": _many_parts, "nested messages": _nested,
    "sealed attachment": _aes_body,
}  # fmt: skip
# Drawn less often: they cost a screener its whole budget.
_RARE = frozenset({"bomb", "many parts", "nested messages", "too many members"})


def sample(rng: Random, ident: str) -> Sample:
    names = [name for name in (*FILES, *WRITERS) for _ in range(1 if name in _RARE else 3)]
    what = rng.choice(names)
    letter = letters.letter(rng)
    if what in FILES:
        made = FILES[what](rng)
        letter.attachments.append(parts.attached(rng, made.name, made.media_type, made.octets))
    else:
        WRITERS[what](letter)
    return Sample(
        Label(
            ident,
            "unscreenable",
            group="unscreenable",
            variant=what,
            place="attachment" if what in FILES else "structure",
        ),
        letters.octets(letter),
    )
