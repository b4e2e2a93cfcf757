"""One site from its beginning to its copy: founded, run, filled, backed up, killed, restored, read again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import smtplib
import ssl
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from gateway import config
from gateway.authenticator.client import AuthenticatorClient
from gateway.keyholder.client import KeyholderClient
from gateway.store.blobs import BlobFolder
from gateway.store.engines import open_engine
from gateway.store.messages import message_by_reference, segments_of
from gateway.store.segments import SegmentReader
from tests.cli.conftest import PROGRAMS, Site, wait_for

PASSWORD = "nine small boats at noon"


def mail(site: Site, case: str, octets: int) -> bytes:
    address = f"{case.lower()}@{config.load(site.config).site.domain}"
    head = (
        f"From: Ann Lee <ann@agency.example>\r\nTo: <{address}>\r\nSubject: Budget\r\nMessage-ID: <{octets}@agency>\r\n"
    )
    body = b"".join(b"%070d\r\n" % number for number in range(octets // 72))
    return head.encode() + b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\n" + body


def send(site: Site, app_password: str, case: str, message: bytes) -> str:
    settings = config.load(site.config)
    place = settings.submission.starttls[0]
    with smtplib.SMTP(place.host, place.port, timeout=60) as client:
        client.starttls(context=ssl.create_default_context(cafile=settings.tls.certificate))
        client.login("ann@agency.example", app_password)
        client.mail("ann@agency.example")
        assert client.rcpt(f"{case.lower()}@{settings.site.domain}")[0] == 250
        code, reply = client.data(message)
    assert code == 250, reply
    return reply.decode().split()[1]


async def read(site: Site, seed: str, references: list[str], at: int) -> dict[str, bytes]:
    """Sign in as ann and open messages, as the portal does."""
    settings = config.load(site.config)
    authenticator, keyholder = (
        AuthenticatorClient(settings.authenticator.socket),
        KeyholderClient(settings.keyholder.socket),
    )
    signed = await authenticator.sign_in("ann", PASSWORD, pyotp.TOTP(seed).at(at), "127.0.0.1")
    await keyholder.admit(signed.statement, signed.signature)
    found: dict[str, bytes] = {}
    engine = open_engine(settings.store.url, read_only=True)
    for reference in references:
        with engine.begin() as rows:
            row = message_by_reference(rows, reference)
            assert row is not None
            (segment,) = segments_of(rows, row.id)
        grant = await keyholder.open(signed.token, row.id)
        found[reference] = b"".join(SegmentReader(BlobFolder(settings.store.blobs), segment, grant.key).read())
    engine.dispose()
    await authenticator.close()
    await keyholder.close()
    return found


def seed_of(uri: str) -> str:
    return parse_qs(urlsplit(uri).query)["secret"][0]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_site_lives_is_backed_up_under_load_and_reads_the_same_when_restored(site: Site, short_path: Path) -> None:
    site.gateway("employee", "add", "Ann Lee", "ann@agency.example", "--username", "ann")
    site.gateway("employee", "password", "ann", given=f"{PASSWORD}\n")
    seed = seed_of(site.asked("employee", "totp", "ann")["uri"])
    app_password = site.asked("employee", "app-password", "add", "ann", "--label", "mutt")["password"]
    case = site.asked("case", "open", "--person", "ann")["reference"]
    assert case.startswith("T-SM-")
    site.gateway("designated-user", "add", "ines@tour.example", "--name", "Ines Carvalho", "--case", case)
    sent = [mail(site, case, octets) for octets in (200, 300_000)]
    references = [send(site, app_password, case, message) for message in sent]

    made = site.asked("backup", short_path / "vault", "--keys-to", short_path / "keys")
    assert made["vault"]["blobs"] == 1
    later = send(site, app_password, case, mail(site, case, 500))
    held = [path.read_bytes() for path in (short_path / "vault").rglob("*") if path.is_file()]
    assert not any(b"Budget" in octets or b"%070d" % 7 in octets for octets in held)
    passphrase = (site.folder / "secrets" / "passphrase").read_bytes()
    keys = [path.read_bytes() for path in (short_path / "keys").rglob("*") if path.is_file()]
    assert not any(passphrase.strip() in octets for octets in (*held, *keys))

    site.kill()
    wait_for(lambda: not any(map(site.runs, PROGRAMS)))
    other = Site(short_path / "site")
    told = other.gateway("restore", short_path / "vault", other.folder, "--keys-from", short_path / "keys")
    assert "Put the passphrase back" in told
    (other.folder / "secrets").mkdir(mode=0o700)
    (other.folder / "secrets" / "passphrase").write_bytes(passphrase)
    (other.folder / "secrets" / "passphrase").chmod(0o600)
    other.start()
    try:
        now = int(time.time())
        assert asyncio.run(read(other, seed, references, now)) == dict(zip(references, sent, strict=True))
        listed = other.asked("case", "list")
        assert [(one["reference"], one["messages"]) for one in listed] == [(case, 2)]
        again = send(other, app_password, case, mail(other, case, 900))
        assert again not in (*references, later)
    finally:
        assert other.stop() == 0
    site.start()
    assert site.asked("case", "list")[0]["messages"] == 3


def test_a_supervisor_that_was_killed_leaves_nobody_and_starts_again(site: Site) -> None:
    site.kill()
    wait_for(lambda: not any(map(site.runs, PROGRAMS)))
    (site.folder / "run" / "keyholder.sock").touch()
    site.start()
    findings = {one["name"]: one["state"] for one in site.asked("doctor")}
    assert all(findings[name] == "ok" for name in (*PROGRAMS, "keyholder socket", "authenticator socket"))


def test_a_program_that_was_killed_comes_again(site: Site) -> None:
    first = site.runs("submission")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: site.runs("submission") not in (None, first) and site.is_ready())
    assert any(one["name"] == "submission" and "started again" in one["found"] for one in site.asked("doctor"))


def test_a_second_start_on_the_same_folder_is_refused(site: Site) -> None:
    assert "Stop it first." in site.gateway("run", code=os.EX_TEMPFAIL)


def test_people_teams_and_cases_are_made_listed_and_ended(site: Site) -> None:
    made = site.asked("employee", "add", "Bo Ek", "bo@agency.example")
    assert made["username"] == "bo@agency.example"
    assert "taken" in site.gateway("employee", "add", "Bo Ek", "bo@agency.example", code=os.EX_DATAERR)
    team = site.asked("team", "add", "Desk", "desk@agency.example")["team"]
    site.gateway("team", "add-member", "desk@agency.example", "bo@agency.example", "--supervisor")
    listed = next(one for one in site.asked("team", "list") if one["id"] == team)
    assert (listed["members"], listed["supervisors"]) == (["bo@agency.example"], ["bo@agency.example"])
    case = site.asked("case", "open", "--team", "desk@agency.example")["reference"]
    site.gateway("case", "assign", case, "--person", "bo@agency.example")
    assert site.asked("case", "show", case)["assigned_to"] == ["bo@agency.example", "desk@agency.example"]
    site.gateway("case", "unassign", case, "--person", "bo@agency.example")
    site.gateway("team", "remove-member", "desk@agency.example", "bo@agency.example")
    site.gateway("employee", "end", "bo@agency.example")
    assert "bo@agency.example" not in [one["username"] for one in site.asked("employee", "list")]
    assert "bo@agency.example" in [one["username"] for one in site.asked("employee", "list", "--ended")]
    card = site.config.parent / "case.vcf"
    site.gateway("case", "card", case, "--output", card)
    assert f"EMAIL;TYPE=INTERNET:{case.lower()}@" in card.read_text("utf-8")
    site.gateway("case", "close", case)
    assert "no open case" in site.gateway("case", "card", case, code=67)
    assert case not in [one["reference"] for one in site.asked("case", "list")]
    assert case in [one["reference"] for one in site.asked("case", "list", "--closed")]


def test_a_designated_user_is_added_known_again_and_revoked(site: Site) -> None:
    cases = [site.asked("case", "open")["reference"] for _ in range(2)]
    first = site.asked("designated-user", "add", "raul@counsel.example", "--name", "Raul O", "--case", cases[0])
    second = site.asked(
        "designated-user", "add", "raul@counsel.example", "--known", "--case", cases[1], "--right", "see", "--until",
        "2031-06-30",
    )  # fmt: skip
    assert first["person"] == second["person"]
    places = {one["id"]: one for one in site.asked("designated-user", "list")}
    assert places[first["designated_user"]]["cases"] == [cases[0]]
    assert places[second["designated_user"]]["right"] == "see"
    assert places[second["designated_user"]]["until"] == "2031-07-01T04:00:00+00:00"
    site.gateway("designated-user", "revoke", first["designated_user"])
    assert first["designated_user"] not in {one["id"] for one in site.asked("designated-user", "list")}
    told = site.gateway("designated-user", "revoke", first["designated_user"], code=os.EX_NOUSER)
    assert "designated-user list" in told


def test_secrets_come_by_standard_input_or_file_and_a_poor_one_is_refused(site: Site, tmp_path: Path) -> None:
    site.gateway("employee", "add", "Cy Dee", "cy@agency.example", "--username", "cy")
    site.gateway("employee", "password", "cy", given="short\n", code=os.EX_DATAERR)
    (tmp_path / "password").write_text("eleven quiet lamps in a row\n")
    site.gateway("employee", "password", "cy", "--from", tmp_path / "password")
    site.gateway("employee", "password", "cy", "--from", "-", given="twelve quiet lamps in a row\n")
    kinds = [one["kind"] for one in site.asked("employee", "credentials", "cy")]
    assert kinds == ["password"]
    site.gateway("employee", "forgive", "cy")
    one = site.asked("employee", "app-password", "add", "cy", "--network", "192.0.2.7/24", "--days", "9")["credential"]
    listed = {row["id"]: row for row in site.asked("employee", "credentials", "cy")}
    assert listed[one]["networks"] == "192.0.2.0/24"
    site.gateway("employee", "revoke", "cy", one)
    assert one not in {row["id"] for row in site.asked("employee", "credentials", "cy")}


def test_whom_nobody_knows_is_said_so(site: Site) -> None:
    for command in (
        ["employee", "show", "nobody"],
        ["employee", "end", "nobody"],
        ["employee", "password", "nobody"],
        ["team", "add-member", "none@agency.example", "nobody"],
        ["case", "show", "T-SM-2222"],
        ["case", "close", "T-SM-2222"],
        ["queue", "retry", "none"],
        ["queue", "stop", "SM-2222-2222"],
    ):
        assert site.gateway(*command, code=os.EX_NOUSER)


def test_what_prints_data_prints_json(site: Site) -> None:
    for command in (
        ["employee", "list"], ["team", "list"], ["case", "list"], ["designated-user", "list"], ["queue", "list"],
        ["queue", "planned"], ["config", "show"], ["config", "check"], ["doctor"],
    ):  # fmt: skip
        json.loads(site.gateway(*command, "--json"))
        plain = site.gateway(*command)
        assert plain.strip()
        assert "\x1b" not in plain


def test_no_log_of_the_site_holds_an_address(site: Site) -> None:
    log = site.log.read_text()
    assert "program started" in log
    assert "@" not in log
