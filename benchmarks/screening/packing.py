"""Containers: archives, mail in mail, winmail.dat, and names inside them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from random import Random

import py7zr

from benchmarks.screening import files, filler, letters, office, ole, parts, pdfs
from benchmarks.screening.files import File, Maker, name
from benchmarks.screening.letters import Letter
from benchmarks.screening.marks import unmarked
from benchmarks.screening.parts import Part
from benchmarks.screening.passages import Passage

_EPOCH = 1_767_603_600


def inner(rng: Random, passage: Passage) -> File:
    """A plain file with the passage in it."""
    makers: list[Maker] = [
        files.csv_file,
        note,
        note,
        pdfs.text,
        office.MAKERS["docx"][0],
        office.MAKERS["xlsx"][0],
        files.rtf_file,
    ]
    return rng.choice(makers)(rng, passage)


def note(rng: Random, passage: Passage) -> File:
    return File(name(rng, "txt"), "text/plain", "\n\n".join(files.prose(rng, passage)).encode())


def beside(rng: Random) -> list[File]:
    """Harmless files that lie beside it."""
    return [
        File(f"{at}_{name(rng, 'txt')}", "text/plain", filler.paragraph(rng, "en").encode())
        for at in range(rng.randint(0, 4))
    ]


def zipped(members: list[File], comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.comment = comment[:65_000]
        for each in members:
            entry = zipfile.ZipInfo(each.name, (2026, 1, 5, 9, 0, 0))
            entry.compress_type = method
            archive.writestr(entry, each.octets)
    return made.getvalue()


def _shuffled(rng: Random, passage: Passage) -> list[File]:
    members = [inner(rng, passage), *beside(rng)]
    rng.shuffle(members)
    return members


def zip_file(rng: Random, passage: Passage) -> File:
    method = rng.choice(
        [zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    )
    return File(
        name(rng, "zip"),
        rng.choice(["application/zip", "application/x-zip-compressed"]),
        zipped(_shuffled(rng, passage), method=method),
    )


def nested_zip(rng: Random, passage: Passage) -> File:
    made = File("inner.zip", "application/zip", zipped(_shuffled(rng, passage)))
    for at in range(rng.randint(1, 3)):
        made = File(f"level{at}.zip", "application/zip", zipped([made, *beside(rng)]))
    return File(name(rng, "zip"), "application/zip", made.octets)


def zip_comment(rng: Random, passage: Passage) -> File:
    return File(
        name(rng, "zip"),
        "application/zip",
        zipped([*beside(rng), File("a.txt", "text/plain", b"see comment")], unmarked(passage.line).encode()),
    )


def member_name(rng: Random, passage: Passage) -> File:
    called = unmarked(passage.line).replace("/", "_").replace(":", "").strip() + ".txt"
    return File(name(rng, "zip"), "application/zip", zipped([File(called, "text/plain", b"see name"), *beside(rng)]))


def seven_zip(rng: Random, passage: Passage) -> File:
    made = io.BytesIO()
    with py7zr.SevenZipFile(made, "w") as archive:
        for each in _shuffled(rng, passage):
            archive.writestr(each.octets, each.name)
    return File(name(rng, "7z"), "application/x-7z-compressed", made.getvalue())


def tarred(members: list[File]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for each in members:
            entry = tarfile.TarInfo(each.name)
            entry.size, entry.mtime = len(each.octets), _EPOCH
            archive.addfile(entry, io.BytesIO(each.octets))
    return made.getvalue()


def tar(rng: Random, passage: Passage) -> File:
    octets = tarred(_shuffled(rng, passage))
    squeeze: dict[str, Callable[[bytes], bytes]] = {
        "tar": lambda raw: raw, "tar.gz": lambda raw: gzip.compress(raw, mtime=_EPOCH), "tgz": lambda raw: gzip.compress(raw, mtime=_EPOCH), "tar.bz2": bz2.compress, "tar.xz": lzma.compress,
    }  # fmt: skip
    ending = rng.choice(list(squeeze))
    return File(
        name(rng, ending), {"tar": "application/x-tar"}.get(ending, "application/gzip"), squeeze[ending](octets)
    )


def squeezed(rng: Random, passage: Passage) -> File:
    made = inner(rng, passage)
    how = rng.randrange(3)
    octets = (gzip.compress(made.octets, mtime=_EPOCH), bz2.compress(made.octets), lzma.compress(made.octets))[how]
    return File(
        f"{made.name}.{('gz', 'bz2', 'xz')[how]}",
        ("application/gzip", "application/x-bzip2", "application/x-xz")[how],
        octets,
    )


def mail_file(rng: Random, passage: Passage) -> File:
    return File(name(rng, "eml"), rng.choice(["application/octet-stream", "text/plain"]), _inner_mail(rng, passage))


def _inner_mail(rng: Random, passage: Passage) -> bytes:
    forwarded = letters.letter(rng, passage.language)
    if rng.random() < 0.3:
        made = inner(rng, passage)
        forwarded.attachments.append(parts.attached(rng, made.name, made.media_type, made.octets))
    else:
        forwarded.blocks.append(passage.prose)
    return letters.octets(forwarded)


def forwarded(letter: Letter, passage: Passage) -> None:
    """A message/rfc822 part as it is."""
    letter.attachments.append(
        Part(("Content-Type: message/rfc822", "Content-Disposition: attachment"), _inner_mail(letter.rng, passage))
    )


def forwarded_coded(letter: Letter, passage: Passage) -> None:
    """A message/rfc822 part sent as base64 or quoted-printable, which RFC 2046 forbids and mailers do."""
    octets = _inner_mail(letter.rng, passage)
    if letter.rng.random() < 0.7:
        part = Part(("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64"), parts.in_base64(octets))
    else:
        part = Part(
            ("Content-Type: message/rfc822", "Content-Transfer-Encoding: quoted-printable"),
            parts.quoted_printable(octets),
        )
    letter.attachments.append(part)


def _attribute(level: int, ident: int, octets: bytes) -> bytes:
    return struct.pack("<BII", level, ident, len(octets)) + octets + struct.pack("<H", sum(octets) & 0xFFFF)


def tnef(body: str = "", rtf: str = "", attachment: tuple[str, bytes] | None = None) -> bytes:
    """winmail.dat (MS-OXTNEF): a text body, a body in uncompressed compressed RTF, an attachment."""
    made = struct.pack("<IH", 0x223E9F78, 0x1234) + _attribute(1, 0x00089006, struct.pack("<I", 0x00010000))
    made += _attribute(1, 0x00069007, struct.pack("<II", 1252, 0)) + _attribute(
        1, 0x00078008, b"IPM.Microsoft Mail.Note\0"
    )
    made += _attribute(1, 0x00018004, b"Documents\0")
    if body:
        made += _attribute(1, 0x0002800C, body.encode("cp1252", "replace") + b"\0")
    if rtf:
        raw = rtf.encode("ascii", "replace")
        held = struct.pack("<II4sI", len(raw) + 12, len(raw), b"MELA", 0) + raw
        prop = struct.pack("<III", 1, 0x10090102, 1) + struct.pack("<I", len(held)) + held + bytes(-len(held) % 4)
        made += _attribute(1, 0x00069003, prop)
    if attachment:
        made += _attribute(2, 0x00069002, struct.pack("<HIHHI", 1, 0xFFFFFFFF, 0, 0, 0)) + _attribute(
            2, 0x00018010, attachment[0].encode("cp1252", "replace") + b"\0"
        )
        made += _attribute(2, 0x0006800F, attachment[1])
    return made


def winmail(rng: Random, passage: Passage) -> File:
    where = rng.randrange(3)
    text = "\r\n\r\n".join(files.prose(rng, passage))
    if where == 0:
        octets = tnef(body=text)
    elif where == 1:
        octets = tnef(body="See attached.", rtf=files.rtf(text))
    else:
        made = inner(rng, passage)
        octets = tnef(body="See attached.", attachment=(made.name, made.octets))
    return File("winmail.dat", "application/ms-tnef", octets)


MAKERS: dict[str, tuple[Maker, str]] = {
    "zip": (zip_file, "contained"), "nested zip": (nested_zip, "contained"), "zip comment": (zip_comment, "hidden"), "member name": (member_name, "hidden"), "7z": (seven_zip, "hidden"), "tar": (tar, "hidden"),
    "gz": (squeezed, "contained"), "mail file": (mail_file, "contained"), "winmail.dat": (winmail, "hidden"), **ole.MAKERS,
}  # fmt: skip
WRITERS = {"forwarded mail": (forwarded, "contained"), "forwarded mail in base64": (forwarded_coded, "hidden")}
