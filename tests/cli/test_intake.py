"""`gateway intake` over a running site: what operators see of mail from outside, and what they do with it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import select

from gateway import config
from gateway.domain.address import Address
from gateway.domain.clock import to_microseconds
from gateway.domain.fax_report import FaxReport, ReportKind
from gateway.domain.summary import Arrival, Summary
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.inbound.tray import IntakeTray, OutsideMail
from gateway.keyholder import keys as keyholder_keys
from gateway.keyholder.unsealing import PrivateKey
from gateway.mime.automatic import AutomaticKind
from gateway.store import intake, keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.fax_reports import ReportState, claim, enter_report, report_key, seal_report, settle
from gateway.store.keystore import KeyStore
from gateway.store.sealing import open_box, summary_context, summary_key
from gateway.store.tables import message_wrap
from tests.cli.conftest import Site, run_gateway
from tests.faxes import Draw, Sample, cisco, efax, failure, mail, part, rightfax, sample, tiff
from tests.said import said

HEAD = "From: Ines <ines@tours.example>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@tours.example>\r\n"
COUNTED = iter(range(1000))


class Door:
    """Takes mail as the program mx does once screening has found it clean."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.settings = config.load(site.config)
        self.database = Database(self.settings.store.url, program="mx")
        keys = self.settings.keys.folder
        blobs = BlobFolder(self.settings.store.blobs)
        self.domain = self.settings.site.domain
        authority, deposit_key = keyfiles.authority_public(keys), keyfiles.deposit_key(keys)
        self.tray = IntakeTray(self.database, blobs, authority, self.domain, deposit_key)

    def take(
        self,
        body: str = "\r\nThe rehearsal begins at seven.\r\n",
        *,
        to: str = "office",
        subject: str = "Concert",
        kind: AutomaticKind | None = None,
    ) -> str:
        octets = HEAD.format(to=f"{to}@{self.domain}", subject=subject, id=next(COUNTED)) + body
        arrival = Arrival("ines@tours.example", (f"{to}@{self.domain}",), "mail.tours.example", "192.0.2.7")
        mail = OutsideMail(octets.encode(), arrival, (Address(to, self.domain),), kind)
        return asyncio.run(self.tray.take(mail)).text.split()[0]


@pytest.fixture(scope="module")
def door(site: Site) -> Iterator[Door]:
    made = Door(site)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def case(site: Site) -> str:
    site.gateway("employee", "add", "Dana Day", "dana@agency.example", "--username", "dana")
    return str(site.asked("case", "open", "--person", "dana")["reference"])


def test_a_list_shows_what_waits_without_opening_it(site: Site, door: Door, case: str) -> None:
    first = door.take(to=case.lower())
    second = door.take(to="postmaster", kind=AutomaticKind.DELIVERY_REPORT)
    listed = {one["item"]: one for one in site.asked("intake", "list")}
    assert listed[first].items() >= {
        "tray": "cases", "state": "waits", "proposed": case, "proposed_by": "recipient", "sender": "none",
    }.items()  # fmt: skip
    assert (listed[second]["tray"], listed[second]["kind"]) == ("operators", "delivery-report")
    assert "subject" not in listed[first]
    assert [one["item"] for one in site.asked("intake", "list", "--tray", "operators")] == [second]
    assert first in site.gateway("intake", "list")


def test_summaries_are_opened_when_asked_for(site: Site, door: Door) -> None:
    item = door.take(subject="A quiet evening")
    (one,) = [one for one in site.asked("intake", "list", "--summaries") if one["item"] == item]
    assert (one["subject"], one["from"]) == ("A quiet evening", "Ines <ines@tours.example>")


def test_one_item_is_shown_with_its_text(site: Site, door: Door) -> None:
    item = door.take()
    shown = site.asked("intake", "show", item, "--text")
    assert shown["text"] == "The rehearsal begins at seven."
    assert shown["envelope_sender"] == "ines@tours.example"
    assert shown["peer"] == "192.0.2.7"
    assert "text" not in site.asked("intake", "show", item)
    formatted = (
        "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>At <b>seven</b> &amp; eight</p><script>x</script>"
    )
    assert site.asked("intake", "show", door.take(formatted), "--text")["text"].strip() == "At seven & eight"


def test_what_a_stranger_wrote_cannot_steer_the_terminal(site: Site, door: Door) -> None:
    item = door.take("\r\nOne \x1b[2Jtwo\x07 three\u202e\r\n", subject="=?utf-8?q?Red_=1B[31m_=E2=80=AEalert?=")
    said = site.gateway("intake", "show", item, "--text") + site.gateway("intake", "list", "--summaries")
    assert "Red" in said
    assert not [one for one in said if not one.isprintable() and one != "\n"]


def test_filing_asks_first_and_tells_the_cases_employees(site: Site, door: Door, case: str) -> None:
    item = door.take(to=case.lower())
    assert "say --yes" in site.gateway("intake", "file", item, case, code=os.EX_USAGE)
    said = site.gateway("intake", "file", item, case, "--yes")
    assert "Employees told: 1" in said
    assert item not in {one["item"] for one in site.asked("intake", "list")}
    shown = site.asked("intake", "show", item, "--text")
    assert (shown["state"], shown["filed_as"][: len(case)]) == ("filed", case)
    assert "subject" not in shown
    assert site.asked("intake", "file", item, case, "--yes")["repeated"] is True
    assert [one["kind"] for one in site.asked("queue", "list")][:1] == ["outside_mail_filed"]
    site.gateway("intake", "put-back", item)
    assert item in {one["item"] for one in site.asked("intake", "list")}


def test_a_discarded_item_is_hidden_and_comes_back(site: Site, door: Door) -> None:
    item = door.take()
    assert "say --yes" in site.gateway("intake", "discard", item, code=os.EX_USAGE)
    assert f"put-back {item}" in site.gateway("intake", "discard", item, "--yes")
    assert item not in {one["item"] for one in site.asked("intake", "list")}
    assert item in {one["item"] for one in site.asked("intake", "list", "--discarded")}
    assert site.asked("intake", "put-back", item)["repeated"] is False
    assert "waits in the tray already" in site.gateway("intake", "put-back", item)


def test_what_is_not_there_is_said_so(site: Site, door: Door, case: str) -> None:
    item = door.take()
    for arguments in (("show", "U-2222-2222"), ("discard", "U-2222-2222", "--yes"), ("put-back", "U-2222-2222")):
        assert "no such item" in site.gateway("intake", *arguments, code=os.EX_NOUSER)
    assert "no such open case" in site.gateway("intake", "file", item, "T-SM-2222", "--yes", code=os.EX_NOUSER)
    site.gateway("intake", "discard", item, "--yes")
    assert "Put it back first" in site.gateway("intake", "file", item, case, "--yes", code=os.EX_DATAERR)


def test_doctor_knows_the_key_and_the_trays(site: Site, door: Door) -> None:
    door.take(to="abuse")
    text = site.config.read_text("utf-8")
    more = '\n[mx]\nposition = "first-hop"\nclean = "tray"\nlisten = ["127.0.0.1:2525"]\n'
    site.config.write_text(text + more, "utf-8")
    try:
        done = run_gateway("doctor", "--json", config=site.config)  # the mx itself does not run here
        found = {one["name"]: one for one in json.loads(done.stdout)}
        checked = site.gateway("config", "check")
    finally:
        site.config.write_text(text, "utf-8")
    assert found["intake key"]["state"] == "ok"
    assert re.fullmatch(r"(1 waits|\d+ wait), the oldest for less than a day", found["operators tray"]["found"])
    assert "somebody looks each day" in found["clean mail"]["found"]
    assert "taken into the intake tray, unverified" in checked


def test_what_waits_is_in_a_backup_and_opens_with_the_keys_that_go_with_it(
    site: Site, door: Door, short_path: Path
) -> None:
    item = door.take(subject="Kept for later")
    site.gateway("backup", short_path / "vault", "--keys-to", short_path / "keys")
    run_gateway("restore", short_path / "vault", short_path / "again", "--keys-from", short_path / "keys")
    restored = config.load(short_path / "again" / "gateway.toml")
    passphrase = (site.folder / "secrets" / "passphrase").read_text("utf-8").strip()
    folder = restored.keys.folder
    vault_key = keyholder_keys.load(folder, keyholder_keys.FileKeyProvider(folder, passphrase)).vault
    database, keystore = Database(restored.store.url), KeyStore(restored.keyholder.store_url)
    try:
        row = database.read_now(lambda rows: intake.item(rows, item))
        wrap = database.read_now(
            lambda rows: rows.execute(select(message_wrap).where(message_wrap.c.message_id == row.id)).one()
        )
        private = PrivateKey(wrap.key_id, vault_key, keystore.wrapped([wrap.key_id])[wrap.key_id])
        content_key = private.unwrap(bytes(wrap.wrapped), wrap.suite, row.id)
        box = open_box(summary_key(content_key, row.id), bytes(row.sealed_summary), summary_context(row.id))
        assert Summary.from_bytes(box).subject == "Kept for later"
    finally:
        database.close()
        keystore.close()


def test_a_tls_report_is_shown_by_what_it_comes_to(site: Site, door: Door) -> None:
    report = json.dumps(
        {
            "organization-name": "Tours\u001b[2J",
            "date-range": {"start-datetime": "2026-04-01T00:00:00Z", "end-datetime": "2026-04-01T23:59:59Z"},
            "policies": [
                {
                    "policy": {"policy-type": "sts", "policy-domain": "secure.localhost"},
                    "summary": {"total-successful-session-count": 97, "total-failure-session-count": 3},
                    "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 3}],
                }
            ],
        }
    )
    shown = site.asked("intake", "show", taken_report(door, gzip.compress(report.encode())))
    assert (shown["tls_succeeded"], shown["tls_failed"]) == (97, 3)
    assert shown["tls_failures"] == ["certificate-expired 3"]
    assert shown["tls_domains"] == ["secure.localhost"]
    assert "2026-04-01" in shown["tls_report"]
    assert shown["alarm"].startswith("3 of 100 sessions")
    words = site.gateway("intake", "show", taken_report(door, gzip.compress(report.encode())))
    assert "alarm" in words
    assert "\x1b" not in words


@pytest.mark.parametrize("octets", [b"", b"nonsense", gzip.compress(b"[" * 100_000), gzip.compress(b" " * 5_000_000)])
def test_a_tls_report_that_is_none_is_told_as_such(site: Site, door: Door, octets: bytes) -> None:
    shown = site.asked("intake", "show", taken_report(door, octets))
    assert shown["tls_report"].startswith("cannot be read")
    assert "alarm" not in shown


def test_a_mail_that_says_it_reports_and_does_not_is_shown(site: Site, door: Door) -> None:
    item = door.take(to="postmaster", kind=AutomaticKind.TLS_REPORT)
    assert site.asked("intake", "show", item)["tls_report"] == "none in it"


def taken_report(door: Door, octets: bytes) -> str:
    body = (
        (
            'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type="tlsrpt"; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n--b\r\nContent-Type: application/tlsrpt+gzip\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(octets).decode()}\r\n--b--\r\n"
        )
        .replace("\r\n", "\n")
        .replace("\n", "\r\n")
    )
    return door.take(body, to="postmaster", kind=AutomaticKind.TLS_REPORT)


# ---- faxes


@pytest.fixture(scope="module")
def faxes(site: Site) -> Iterator[FaxIntake]:
    """Takes faxes as the program fax does."""
    settings = config.load(site.config)
    database, keys = Database(settings.store.url, program="fax"), settings.keys.folder
    blobs = BlobFolder(settings.store.blobs)
    yield FaxIntake(database, blobs, keyfiles.authority_public(keys), keyfiles.deposit_key(keys))
    database.close()


def bring(faxes: FaxIntake, octets: bytes, source: str = "line-one") -> str:
    return asyncio.run(faxes.take(Source(source), octets)).reference


def test_a_fax_stands_beside_outside_mail_with_its_pages(site: Site, faxes: FaxIntake) -> None:
    made = sample(0, seed=5)
    item = bring(faxes, made.mail)
    listed = {one["item"]: one for one in site.asked("intake", "list")}
    assert listed[item].items() >= {
        "kind": "fax", "tray": "cases", "source": "line-one", "pages": str(made.pages), "review": "", "state": "waits",
    }.items()  # fmt: skip
    assert made.calling not in json.dumps(listed)
    assert item in site.gateway("intake", "list")


def test_a_fax_is_opened_with_what_it_tells_of_its_sender(site: Site, faxes: FaxIntake) -> None:
    made = sample(4, seed=8)
    item = bring(faxes, made.mail)
    bring(faxes, made.mail.replace(b"Message-ID: <", b"Message-ID: <again."))
    shown = site.asked("intake", "show", item)
    assert (shown["profile"], shown["called"], shown["station"]) == ("rightfax", made.called, made.station)
    assert (shown["repeats"], shown["documents"]) == (1, [f"part 2: tiff, {made.pages} pages"])


def test_a_document_comes_back_octet_for_octet(site: Site, faxes: FaxIntake) -> None:
    made = cisco(Draw(5, 7))
    item = bring(faxes, made.mail)
    for part_of_it, wanted in (("1", made.document), ("", made.mail)):
        command = [sys.executable, "-m", "gateway", "intake", "octets", item, *([part_of_it] if part_of_it else [])]
        environment = {**os.environ, "GATEWAY_CONFIG": str(site.config)}
        done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=110)
        assert sha256(done.stdout).digest() == sha256(wanted).digest()
    site.gateway("intake", "octets", item, "9.9", code=os.EX_NOUSER)


def test_an_operator_claims_and_releases_as_clerks_do(site: Site, faxes: FaxIntake) -> None:
    item = bring(faxes, sample(4, seed=77).mail)
    assert "is claimed until" in site.gateway("intake", "claim", item)
    assert "is free" in site.gateway("intake", "release", item)
    assert "Nobody has claimed" in site.gateway("intake", "release", item)


def test_an_operator_puts_pages_and_puts_aside_and_undoes_both(site: Site, faxes: FaxIntake) -> None:
    item = bring(faxes, sample(4, seed=78).mail)
    assert site.asked("intake", "pages", item, "--section", "1", "--turn", "1=180")["version"] == 1
    assert site.asked("intake", "undo", item)["undone"] == "split"
    assert "misdirected" in site.gateway("intake", "misdirect", item, "--reason", "wrong-number")
    assert "Undone: misdirected." in site.gateway("intake", "undo", item)
    assert site.asked("intake", "show", item)["state"] == "waits"


def test_a_fax_goes_into_a_case_and_back(site: Site, faxes: FaxIntake, case: str) -> None:
    item = bring(faxes, sample(4, seed=5).mail)
    assert site.asked("intake", "file", item, case, "--yes")["told"] == 1
    assert item not in {one["item"] for one in site.asked("intake", "list")}
    site.gateway("intake", "octets", item, code=os.EX_NOUSER)
    site.gateway("intake", "put-back", item)
    assert item in {one["item"] for one in site.asked("intake", "list")}


def test_sources_are_told_apart(site: Site, faxes: FaxIntake) -> None:
    bring(faxes, sample(1, seed=6).mail, "line-two")
    bring(faxes, failure(1, seed=6), "line-two")
    short = mail(
        ["From: a@b.example", "Subject: Fax (2 pages)"], [part("image/tiff; name=cisco_fax.tif", tiff(("x",)))]
    )
    bring(faxes, short, "line-two")
    (one,) = [one for one in site.asked("intake", "sources") if one["source"] == "line-two"]
    assert one.items() >= {"received": 3, "filed": 2, "failures": 1, "review": 1, "waiting": 2, "left": 0}.items()
    assert one["state"] == "not configured"
    assert "line-two" in site.gateway("intake", "sources")


def test_reports_that_fax_servers_asked_for_are_listed_with_what_became_of_them(site: Site) -> None:
    settings = config.load(site.config)
    key = report_key(keyfiles.return_path_key(settings.keys.folder))
    asked = FaxReport(ReportKind.DELIVERED, "fax@onramp.example", (("a@agency.example", ""),), "", "", 1)
    with closing(Database(settings.store.url, program="fax")) as database:
        for source in ("router-1", "router-2"):
            database.call(enter_report, source, seal_report(key, asked))
    with closing(Database(settings.store.url, program="notifier")) as database:
        entries = database.call(lambda tx: claim(tx, lease_us=60_000_000, limit=100))
        sent = next(entry for entry in entries if entry.source == "router-2")
        database.call(lambda tx: settle(tx, sent, ReportState.SENT, "250 2.0.0 taken"))
    waiting = site.asked("intake", "reports")
    assert [(one["source"], one["state"], one["attempts"]) for one in waiting] == [("router-1", "waiting", 1)]
    listed = {one["source"]: one for one in site.asked("intake", "reports", "--all")}
    assert (listed["router-2"]["state"], listed["router-2"]["answer"]) == ("sent", "250 2.0.0 taken")
    assert "onramp.example" not in site.gateway("intake", "reports", "--all")


def test_a_source_whose_clock_differs_is_told_of(site: Site, faxes: FaxIntake) -> None:
    for number in range(3):
        arrived_us = to_microseconds(Draw(8, number).at) - 20 * 60_000_000
        asyncio.run(faxes.take(Source("line-late"), sample(number, seed=8).mail, arrived_us=arrived_us))
    (one,) = [one for one in site.asked("intake", "sources") if one["source"] == "line-late"]
    assert (one["clock"], one["review"]) == ("20 min before", 3)


def tried(site: Site, folder: Path, made: Sample | bytes, *more: str) -> dict[str, Any]:
    file = folder / "fax.eml"
    file.write_bytes(made if isinstance(made, bytes) else made.mail)
    (found,) = site.asked("intake", "try", file, *more)
    assert isinstance(found, dict)
    return found


def test_try_shows_each_field_and_the_rule_that_told_it(site: Site, tmp_path: Path) -> None:
    made = efax(Draw(5, 3))
    found = tried(site, tmp_path, made)
    assert found["profile"].startswith("efax, by subject:")
    assert found["calling"].startswith(f"{made.calling}    by subject: ")
    assert (found["pages_counted"], found["for_review"]) == (made.pages, [])
    assert tried(site, tmp_path, made, "--profile", "generic")["profile"] == "generic, by the source says so"


def test_try_prints_lines_for_the_configuration(site: Site, tmp_path: Path) -> None:
    (tmp_path / "fax.eml").write_bytes(sample(0).mail)
    said = site.gateway("intake", "try", tmp_path / "fax.eml")
    lines = said[said.index("[fax.profiles.cisco]") :]
    assert "calling" in tomllib.loads(lines)["fax"]["profiles"]["cisco"]


def test_try_tells_a_failure_and_a_file_that_is_not_there(site: Site, tmp_path: Path) -> None:
    assert tried(site, tmp_path, failure(2))["failure"]
    assert "No such file" in site.gateway("intake", "try", tmp_path / "none.eml", code=os.EX_DATAERR)


# ---- what is printed


def words_of(octets: bytes) -> list[str]:
    """The words of each page of a PDF."""
    return [" ".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(octets)]


def test_cover_sheets_are_printed_listed_and_withdrawn(site: Site, case: str, tmp_path: Path) -> None:
    sheet = tmp_path / "sheets.pdf"
    said = site.gateway("intake", "cover-sheet", case, "--count", "2", "--days", "30", "--output", sheet)
    references = [line.split()[0] for line in said.splitlines()]
    assert [line.split()[3].rstrip(",") for line in said.splitlines()] == [case, case]
    assert [reference in words for reference, words in zip(references, words_of(sheet.read_bytes()), strict=True)]
    listed = {one["sheet"]: one for one in site.asked("intake", "cover-sheets", "list", case)}
    assert set(references) == set(listed)
    assert {(one["state"], one["made_by"], one["for"]) for one in listed.values()} == {("good", "operator", case)}
    assert site.asked("intake", "cover-sheets", "withdraw", references[0]) == {"withdrawn": [references[0]]}
    assert [one["sheet"] for one in site.asked("intake", "cover-sheets", "list", case)] == references[1:]
    states = [one["state"] for one in site.asked("intake", "cover-sheets", "list", references[0], "--all")]
    assert states == ["withdrawn"]
    assert "no such cover sheet" in site.gateway(
        "intake", "cover-sheets", "withdraw", "CS-2222-2222", code=os.EX_NOUSER
    )


def test_a_sheet_goes_to_standard_output_in_the_language_that_is_asked_for(site: Site, case: str) -> None:
    command = [sys.executable, "-m", "gateway", "intake", "cover-sheet", case, "--language", "es", "--output", "-"]
    done = subprocess.run([*command, "--config", str(site.config)], capture_output=True, check=True)
    (words,) = words_of(done.stdout)
    assert "Portada de fax" in words
    assert case not in words


def test_what_cannot_be_printed_is_not_entered(site: Site, case: str, tmp_path: Path) -> None:
    before = site.asked("intake", "cover-sheets", "list", "--all")
    sheet = tmp_path / "sheet.pdf"
    for arguments, code in (
        ((case, "--output", tmp_path), os.EX_USAGE),
        ((case, "--output", tmp_path / "none" / "sheet.pdf"), os.EX_USAGE),
        (("--output", sheet), os.EX_DATAERR),
        (("T-SM-2222", "--output", sheet), os.EX_NOUSER),
        ((case, "--agreement", "T-EN-2222", "--output", sheet), os.EX_NOUSER),
        ((case, case, "--count", "60", "--output", sheet), os.EX_DATAERR),
    ):
        site.gateway("intake", "cover-sheet", *arguments, code=code)
    assert not sheet.exists()
    assert site.asked("intake", "cover-sheets", "list", "--all") == before


def test_a_letter_about_a_fax_tells_its_reference_and_nothing_of_it(
    site: Site, faxes: FaxIntake, door: Door, tmp_path: Path
) -> None:
    made = rightfax(Draw(31, 7))
    item, file = bring(faxes, made.mail), tmp_path / "letter.pdf"
    for reason, words in (("received", "We received your fax"), ("missing-page", "A page of your fax is missing")):
        assert item in site.gateway("intake", "letter", item, "--reason", reason, "--output", file)
        (told,) = words_of(file.read_bytes())
        assert words in told
        assert item in told
        for secret in (made.calling, made.called, made.station, made.job):
            assert not secret or secret not in said(told)
    site.gateway("intake", "letter", item, "--language", "es", "--reason", "not-ours", "--output", file)
    assert "Su fax no es para nosotros" in words_of(file.read_bytes())[0]
    for other in (door.take(), "U-2222-2222"):
        assert "no such fax" in site.gateway("intake", "letter", other, "--output", file, code=os.EX_NOUSER)
    site.gateway("intake", "letter", item, "--reason", "rubbish", "--output", file, code=os.EX_USAGE)


def test_a_fax_that_is_filed_is_acknowledged_to_the_other_side_and_not_when_it_is_put_back(
    site: Site, faxes: FaxIntake
) -> None:
    case = str(site.asked("case", "open", "--person", "dana")["reference"])
    site.gateway("designated-user", "add", "nora@tours.example", "--name", "Nora", "--case", case)
    item = bring(faxes, sample(9, seed=11).mail)
    site.gateway("intake", "file", item, case, "--yes")

    def waiting() -> list[str]:
        return [one["kind"] for one in site.asked("queue", "list")]

    assert "submission_received" in waiting()
    site.gateway("intake", "put-back", item)
    assert "submission_received" not in waiting()


def test_a_fax_is_recognised_anew_by_locked_children_and_shown_so(site: Site, faxes: FaxIntake) -> None:
    made = sample(4, seed=6)
    item = bring(faxes, made.mail)
    assert site.asked("intake", "show", item)["recognised"] == "nothing so far"
    done = site.asked("intake", "recognise", item)
    assert (done["kept"], done["all_pages_read"], done["pages_recognised"]) == (True, True, made.pages)
    shown = site.asked("intake", "show", item, "--fields")
    assert shown["sections"]
    assert {page for one in shown["sections"] for page in one["pages"]} <= set(range(1, made.pages + 1))
    assert all(one["sort"] and "fields" in one for one in shown["sections"])
    assert "section 1" in site.gateway("intake", "show", item)
    (count,) = [one for one in site.asked("intake", "sources") if one["source"] == "line-one"]
    assert count["recognised"] == 1


def test_what_is_no_fax_is_not_recognised(site: Site, door: Door) -> None:
    assert "no fax" in site.gateway("intake", "recognise", door.take(), code=os.EX_DATAERR)
