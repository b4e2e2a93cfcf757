"""The search for canaries finds each form that it is there to find: a blind search would prove nothing."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import logging
import lzma
import os
import quopri
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest

from tests.canary import new_canary, search, search_octets, search_process

AROUND = b"\x00\xff some octets around it %s \x1f\x8b\x08 not gzip x\x9c nor zlib"


def in_zip(octets: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.txt", b"first" * 100)
        archive.writestr("two.txt", octets)
    return file.getvalue()


def colons(octets: bytes) -> bytes:
    return octets.hex(":").encode()


PLANTED: dict[str, Callable[[bytes], bytes]] = {
    "octets": lambda c: c,
    "hex": lambda c: c.hex().encode(),
    "HEX": lambda c: c.hex().upper().encode(),
    "hex with colons": colons,
    "hex with spaces": lambda c: c.hex(" ").encode(),
    "hex as \\x": lambda c: b"".join(b"\\x%02x" % o for o in c),
    "hex folded": lambda c: c.hex()[:11].encode() + b"\r\n" + c.hex()[11:].encode(),
    "utf-16le": lambda c: c.hex().encode("utf-16-le"),
    "utf-16be": lambda c: c.hex().encode("utf-16-be"),
    "utf-32": lambda c: c.hex().encode("utf-32-le"),
    "base64": base64.b64encode,
    "base64 of text": lambda c: base64.b64encode(c.hex().encode()),
    "base64, second alignment": lambda c: base64.b64encode(b"x" + c + b"yz"),
    "base64, third alignment": lambda c: base64.b64encode(b"xy" + c + b"z"),
    "base64 of text, second alignment": lambda c: base64.b64encode(b"x" + c.hex().encode() + b"yz"),
    "base64 of text, third alignment": lambda c: base64.b64encode(b"xy" + c.hex().encode() + b"z"),
    "base64 of utf-16": lambda c: base64.b64encode(b"x" + c.hex().encode("utf-16-le")),
    "urlsafe base64": base64.urlsafe_b64encode,
    "base64 folded": lambda c: base64.encodebytes(b"x" * 50 + c + b"y" * 50),
    "base64 folded with CRLF and a blank": lambda c: base64.b64encode(b"xxx" + c).replace(b"", b"\r\n ")[3:-3],
    "percent": lambda c: quote_from_bytes(c).encode(),
    "percent, every octet": lambda c: b"".join(b"%%%02X" % o for o in c),
    "quoted-printable": quopri.encodestring,
    "quoted-printable, folded": lambda c: quopri.encodestring(b"x" * 70 + c + b"y" * 30),
    "repr": lambda c: repr(c).encode(),
    "json of latin-1": lambda c: json.dumps(c.decode("latin-1")).encode(),
    "utf-8 of latin-1": lambda c: c.decode("latin-1").encode(),
    "gzip": lambda c: gzip.compress(b"x" * 500 + c),
    "gzip of text": lambda c: gzip.compress(os.urandom(2000) + c.hex().encode() + os.urandom(2000)),
    "gzip cut short": lambda c: gzip.compress(c.hex().encode() + os.urandom(5000))[:3000],
    "zlib": lambda c: zlib.compress(b"x" * 500 + c, 6),
    "zlib, best": lambda c: zlib.compress(b"x" * 500 + c, 9),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": in_zip,
    "base64 of gzip": lambda c: base64.b64encode(gzip.compress(c)),
    "base64 of gzip, folded": lambda c: base64.encodebytes(gzip.compress(os.urandom(100) + c)),
    "gzip of gzip of base64": lambda c: gzip.compress(gzip.compress(base64.b64encode(b"x" + c))),
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_canary_is_found_in_each_form(form: str) -> None:
    for _ in range(20):
        canary = new_canary()
        assert search_octets(canary, AROUND + PLANTED[form](canary) + AROUND), canary.hex()


@pytest.mark.parametrize("form", PLANTED)
def test_another_canary_is_not_found(form: str) -> None:
    planted, sought = new_canary(), new_canary()
    assert search_octets(sought, AROUND + PLANTED[form](planted) + AROUND) == []


def test_nothing_is_found_in_noise() -> None:
    assert search_octets(new_canary(), os.urandom(500_000)) == []


def test_a_canary_is_found_in_a_message_as_mail_tools_make_it() -> None:
    for charset in ("us-ascii", "utf-16", "utf-8"):
        canary = new_canary()
        mail = EmailMessage()
        mail["Subject"] = "something else"
        mail.set_content("text\n" * 3 + canary.hex() + "\n" * 3, charset=charset)
        mail.add_attachment(b"xx" + canary, maintype="application", subtype="octet-stream")
        found = {hit.form for hit in search_octets(canary, bytes(mail))}
        assert len(found) >= 2


def test_folders_are_searched_whole_names_and_all(tmp_path: Path) -> None:
    canary = new_canary()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 100_000 + canary)
    (tmp_path / canary.hex()).touch()
    (tmp_path / "innocent").write_bytes(os.urandom(1000))
    hits = search(canary, tmp_path)
    assert sorted((Path(hit.path).name, hit.form, hit.offset) for hit in hits) == sorted(
        [("file", "octets", 100_000), (canary.hex(), "name > hex", 0)]
    )


def test_a_canary_is_found_in_a_database_and_in_its_log(tmp_path: Path) -> None:
    canary = new_canary()
    with sqlite3.connect(tmp_path / "some.db") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (?)", (canary,))
        connection.commit()
        connection.execute("DELETE FROM t")
        connection.commit()
        assert {Path(hit.path).name for hit in search(canary, tmp_path)} == {"some.db-wal"}
    connection.close()


def test_a_canary_is_found_in_a_log_of_library_words(tmp_path: Path) -> None:
    canary = new_canary()
    handler = logging.FileHandler(tmp_path / "log")
    record = logging.LogRecord("x", logging.INFO, "x", 1, "got %r", (canary,), None)
    handler.emit(record)
    handler.close()
    assert search(canary, tmp_path)


def test_a_canary_is_found_in_the_environment_and_arguments_of_a_process() -> None:
    canary = new_canary()
    for environment, argument in (({"X": canary.hex()}, "-"), ({}, canary.hex())):
        child = subprocess.Popen(
            [sys.executable, "-c", "print(flush=True); input()", argument],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        child.stdout.readline()
        assert search_process(canary, child.pid)
        child.communicate(b"\n")
