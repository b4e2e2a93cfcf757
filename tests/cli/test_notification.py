"""`gateway notification`, and how a site's own wording is checked: the real command, a relay of the test's own."""

from __future__ import annotations

import email
import email.policy
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from gateway.domain.notice import NoticeKind
from tests.cli.conftest import Site, founded, run_gateway, wait_for
from tests.ports import free_port


@dataclass
class Inbox:
    """What the relay took: recipients and mails."""

    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append((list(envelope.rcpt_tos), mail))
        return "250 2.0.0 taken"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    found = Inbox()
    port = free_port()
    controller = Controller(found, "127.0.0.1", port, ready_timeout=60)
    controller.start()
    yield found, port
    controller.stop()


def say_in_config(site: Site, **lines: str) -> None:
    """Put lines at the top of [notifier]."""
    text = site.config.read_text("utf-8")
    told = "".join(f"{key} = {value}\n" for key, value in lines.items())
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith("allow_list")]
    site.config.write_text("".join(kept).replace("[notifier]\n", f"[notifier]\n{told}", 1), "utf-8")


def own_words(site: Site, name: str, text: str) -> Path:
    path = site.folder / "words" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_kinds_are_listed_and_each_is_shown_in_each_language(short_path: Path) -> None:
    site = founded(short_path / "site")
    rows = site.asked("notification", "list")
    assert {row["kind"] for row in rows} == {kind.value for kind in NoticeKind}
    assert all(row["languages"] == ["en", "es"] for row in rows)
    shown = site.gateway("notification", "preview", "meeting")
    assert shown.startswith("From: IRS Secure Messaging\nSubject: [TEST] [SAMPLE] Your meeting with us\n")
    assert "This is a sample that somebody asked for." in shown
    spanish = site.asked("notification", "preview", "reminder", "--language", "es")
    assert spanish["subject"] == "[TEST] [MUESTRA] Todavía le espera un mensaje"
    assert '<html lang="es">' in spanish["html"]
    assert site.gateway("notification", "preview", "reminder", "--html").startswith("<!DOCTYPE html>")
    assert "speaks en, es" in site.gateway("notification", "preview", "reminder", "--language", "fr", code=65)
    site.gateway("notification", "preview", "nothing", code=os.EX_USAGE)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("en/reminder.txt", "{% for x in sender %}{{ x }}{% endfor %}", "reminder.txt: line 1: uses for. Take it out"),
        ("es/reminder.html", "<p>\n{{ taxpayer }}", "reminder.html: line 2: asks for 'taxpayer'"),
        ("en/reminder.text", "Hello", "reminder.text: no notification uses it"),
        ("en/catalogue.toml", '[subjects]\nremindr = "x"', "catalogue.toml: subjects.remindr is not known here"),
    ],
)
def test_a_wrong_template_of_the_site_s_own_is_named_by_check_and_at_start(
    short_path: Path, name: str, text: str, said: str
) -> None:
    site = founded(short_path / "site")
    say_in_config(site, templates='"words"')
    assert "there is no file" in site.gateway("config", "check", code=os.EX_CONFIG)
    path = own_words(site, name, text)
    for arguments in (("config", "check"), ("run",), ("run", "notifier"), ("notification", "list")):
        told = site.gateway(*arguments, code=os.EX_CONFIG)
        assert said in told, arguments
        assert str(path) in told
    path.unlink()
    site.gateway("config", "check")


def test_a_certificate_that_mail_tools_would_not_believe_is_refused_at_start(short_path: Path) -> None:
    site = founded(short_path / "site")
    tls = site.folder / "tls"
    text = site.config.read_text("utf-8")
    text += f'\n[notifier.smime]\ncertificate = "{tls}/certificate.pem"\nkey = "{tls}/key.pem"\n'
    site.config.write_text(text, "utf-8")
    for arguments in (("config", "check"), ("run",)):
        assert "is not for secure-messaging@secure.localhost" in site.gateway(*arguments, code=os.EX_CONFIG)


def test_a_sample_reaches_an_employee_with_the_site_s_own_words_and_nobody_else(
    short_path: Path, inbox: tuple[Inbox, int]
) -> None:
    found, port = inbox
    site = founded(short_path / "site")
    say_in_config(
        site, relay='"127.0.0.1"', port=str(port), tls='"none"', templates='"words"', allow_list='["@agency.example"]'
    )
    own_words(site, "es/catalogue.toml", '[subjects]\nmeeting = "Venga a vernos"\n')
    site.start()
    try:
        site.gateway("employee", "add", "Ann Lee", "Ann.Lee@agency.example")
        case = site.asked("case", "open", "--person", "ann.lee@agency.example")["reference"]
        site.gateway("designated-user", "add", "ada@agency.example", "--case", case, "--name", "Ada")
        more = ("--language", "es", "--wait", "90")
        told = site.asked("notification", "sample", "meeting", "ann.lee@AGENCY.example", *more)
        assert (told["state"], told["last_reply"][:3]) == ("delivered", "250")
        ((to, mail),) = [one for one in found.taken if "[MUESTRA]" in one[1]["Subject"]]
        assert to == ["Ann.Lee@agency.example"]
        assert mail["Subject"] == "[TEST] [MUESTRA] Venga a vernos"
        assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
        assert "Esta es una muestra" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for address in ("ada@agency.example", "nobody@agency.example"):
            assert "No employee has this address" in site.gateway("notification", "sample", "meeting", address, code=67)
        # A person's own wishes, changed by command.
        before = site.asked("notification", "wishes", "ann.lee@agency.example")
        assert before == {"language": "en", "link": True, "time_zone": "the programme's"}
        wished = ("--language", "es", "--no-link", "--time-zone", "Europe/Zurich")
        after = site.asked("notification", "wishes", "ann.lee@agency.example", *wished)
        assert after == {"language": "es", "link": False, "time_zone": "Europe/Zurich"}
        site.gateway("notification", "wishes", "ann.lee@agency.example", "--language", "fr", code=65)
        site.gateway("notification", "wishes", "ann.lee@agency.example", "--time-zone", "Mars/Base", code=65)
        confirmed = site.asked("employee", "confirm", "ann.lee@agency.example")
        assert confirmed == {"confirm": "first", "delay_minutes": 0}
        confirmed = site.asked("employee", "confirm", "ann.lee@agency.example", "daily", "--delay", "5")
        assert confirmed == {"confirm": "daily", "delay_minutes": 0}  # no more than the site has
        site.gateway("employee", "confirm", "ada@agency.example", "each", code=67)
        site.gateway("employee", "confirm", "ann.lee@agency.example", "always", code=64)
        site.gateway("notification", "sample", "reminder", "ann.lee@agency.example", "--wait", "90")
        body = found.taken[-1][1].get_body(("plain",))
        assert body is not None
        assert "https://" not in body.get_content()
        assert "without a link" in body.get_content()
    finally:
        site.kill()
        wait_for(lambda: not site.runs("notifier"))


def test_a_sample_waits_where_there_is_no_relay(short_path: Path) -> None:
    site = founded(short_path / "site")
    site.start()
    try:
        site.gateway("employee", "add", "Ann Lee", "ann@agency.example")
        told = site.gateway("notification", "sample", "reminder", "ann@agency.example", "--wait", "0")
        assert told.startswith("waiting: not tried so far")
        assert [row["kind"] for row in site.asked("queue", "list")] == ["reminder"]
    finally:
        site.kill()
        wait_for(lambda: not site.runs("portal"))
    assert run_gateway("notification", "--help").returncode == 0
