from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib

import py7zr
import pytest

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Form
from gateway.screening.extraction.archives import libarchive
from tests.unit.screening.extraction.samples import NUMBER, places, seven_zipped, tarred, texts, whys, zipped

TEXT = f"My number is {NUMBER}. ".encode() * 20


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
def test_members_of_a_zip_are_read_however_they_are_packed(method: int) -> None:
    assert places(zipped({"a.txt": TEXT}, packing_method=method)) == {"attachment 1, member 1"}


def test_names_and_comments_of_a_zip_are_text() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        entry = zipfile.ZipInfo("111-11-0001/ü.txt")
        entry.comment = b"note 222-11-0002"
        archive.writestr(entry, b"x")
        archive.writestr("333-11-0003/", b"")
        archive.comment = b"comment 444-11-0004"
    found = texts(held.getvalue())
    assert "111-11-0001/ü.txt" in texts(held.getvalue(), form=Form.FILE_NAME)
    assert "333-11-0003/" in texts(held.getvalue(), form=Form.FILE_NAME)
    assert "note 222-11-0002" in found
    assert "comment 444-11-0004" in found


def test_a_zip_behind_a_program_or_cut_off_from_its_directory_is_read() -> None:
    whole = zipped({"a.txt": TEXT, "b.txt": TEXT})
    assert NUMBER in texts(b"MZ\x90\x00" + bytes(200) + whole)
    cut = whole[: whole.index(b"PK\x01\x02")]
    assert NUMBER in texts(cut)
    assert whys(cut) == {Unread.CORRUPT}


def test_a_zip_written_as_a_stream_is_read() -> None:
    class Pipe(io.RawIOBase):
        held = b""

        def writable(self) -> bool:
            return True

        def write(self, octets: bytes) -> int:  # type: ignore[override]
            self.held += bytes(octets)
            return len(octets)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.txt", "w") as member:  # type: ignore[arg-type]
        member.write(TEXT)
    assert NUMBER in texts(pipe.held)
    assert whys(pipe.held) == set()


def test_an_encrypted_member_is_told_and_the_others_are_read() -> None:
    octets = bytearray(zipped({"a.txt": TEXT, "b.txt": TEXT}))
    first = octets.index(b"PK\x01\x02")
    octets[first + 8] |= 1
    assert whys(bytes(octets)) == {Unread.ENCRYPTED}
    assert places(bytes(octets)) == {"attachment 1, member 2"}


def test_an_unknown_packing_method_is_unscreenable() -> None:
    octets = bytearray(zipped({"a.txt": TEXT}))
    first = octets.index(b"PK\x01\x02")
    octets[first + 10] = 97
    assert whys(bytes(octets)) == {Unread.UNKNOWN_TYPE}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_files_are_read_however_they_are_packed(mode: str) -> None:
    octets = tarred({"333-11-0003.txt": TEXT}, mode)
    assert NUMBER in texts(octets, "a.tgz")
    assert "333-11-0003.txt" in texts(octets, "a.tgz", form=Form.FILE_NAME)
    assert whys(octets) == set()


def test_what_stands_behind_a_tar_file_is_read() -> None:
    assert NUMBER in texts(tarred({"a.txt": b"x"}) + TEXT)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_packed_streams_in_a_row_are_read_to_the_last(pack: object) -> None:
    octets = pack(b"first ") + pack(TEXT)  # type: ignore[operator]
    assert NUMBER in texts(octets, "a.txt.x")
    assert whys(octets[:-6]) == {Unread.CORRUPT}


def test_lzma_alone_is_read() -> None:
    assert NUMBER in texts(lzma.compress(TEXT, lzma.FORMAT_ALONE))


def test_the_name_and_comment_in_a_gzip_header_are_text() -> None:
    body = zlib.compress(b"x")[2:-4] + struct.pack("<LL", zlib.crc32(b"x"), 1)
    octets = b"\x1f\x8b\x08\x18" + bytes(6) + b"111-11-0001.txt\x00note 222-11-0002\x00" + body
    assert "111-11-0001.txt" in texts(octets, form=Form.FILE_NAME)
    assert "note 222-11-0002" in texts(octets)


SEVEN_ZIP_FILTERS = {
    "lzma2": None,
    "lzma": [{"id": py7zr.FILTER_LZMA}],
    "deflate": [{"id": py7zr.FILTER_DEFLATE}],
    "bzip2": [{"id": py7zr.FILTER_BZIP2}],
    "copy": [{"id": py7zr.FILTER_COPY}],
    "bcj": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 6}],
    "delta": [{"id": py7zr.FILTER_DELTA}, {"id": py7zr.FILTER_LZMA2, "preset": 6}],
}


@pytest.mark.parametrize("how", sorted(SEVEN_ZIP_FILTERS))
def test_7z_archives_are_read_however_they_are_packed(how: str) -> None:
    octets = seven_zipped({"one.txt": b"nothing", "two.txt": TEXT}, filters=SEVEN_ZIP_FILTERS[how])
    assert places(octets) == {"attachment 1, member 2"}
    assert "two.txt" in texts(octets, form=Form.FILE_NAME)
    assert whys(octets) == set()


def test_an_encrypted_7z_archive_is_told_whether_or_not_its_names_are_hidden() -> None:
    assert whys(seven_zipped({"a.txt": TEXT}, password="x")) == {Unread.ENCRYPTED}
    assert whys(seven_zipped({"a.txt": TEXT}, password="x", header_encryption=True)) == {Unread.ENCRYPTED}


def test_ppmd_is_read_by_libarchive_or_unscreenable() -> None:
    octets = seven_zipped({"a.txt": TEXT}, filters=[{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}])
    assert whys(octets) == {Unread.UNKNOWN_TYPE} if libarchive() is None else NUMBER in texts(octets)


def _rar_4(content: bytes, flags: int = 0x8000, method: int = 0x30) -> bytes:
    name = b"111-11-0001.txt"
    head = struct.pack("<BHH", 0x73, 0, 13) + bytes(6)
    archive = struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head
    size = 32 + len(name)
    body = struct.pack(
        "<BHHLLBLLBBHL",
        0x74,
        flags,
        size,
        len(content),
        len(content),
        0,
        zlib.crc32(content),
        0,
        29,
        method,
        len(name),
        32,
    )
    file = struct.pack("<H", zlib.crc32(body + name) & 0xFFFF) + body + name + content
    end = b"\xc4\x3d\x7b\x00\x40\x07\x00"
    return b"Rar!\x1a\x07\x00" + archive + file + end


def test_a_rar_archive_that_only_stores_is_read() -> None:
    assert NUMBER in texts(_rar_4(TEXT))
    assert "111-11-0001.txt" in texts(_rar_4(TEXT), form=Form.FILE_NAME)


def test_an_encrypted_rar_archive_is_told() -> None:
    assert whys(_rar_4(TEXT, 0x8004)) == {Unread.ENCRYPTED}


def _cpio() -> bytes:
    def entry(name: bytes, content: bytes) -> bytes:
        sizes = [0, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % size for size in sizes) + name + b"\0"
        return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)

    return entry(b"a.txt", TEXT) + entry(b"TRAILER!!!", b"")


def test_other_archives_are_read_by_libarchive_or_unscreenable() -> None:
    if libarchive() is None:
        assert whys(_cpio()) == {Unread.UNKNOWN_TYPE}
    else:
        assert NUMBER in texts(_cpio())
        assert whys(_cpio()) == set()
