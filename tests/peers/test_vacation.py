"""A real vacation responder, Dovecot's Sieve (RFC 5230), answers people and not our notifications: no loop begins."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.domain.address import parse_address
from gateway.domain.notice import Notice, NoticeKind
from gateway.domain.reference import Reference
from gateway.outbound.dkim import sign
from gateway.outbound.notification import Draft, Renderer
from gateway.parcels.smime_signing import load_mail_signer
from tests.notifying import PROGRAMMES, SIGNER, TEMPLATES
from tests.signing import NOW, card

LDA = Path("/usr/lib/dovecot/dovecot-lda")
SIEVE = Path("/usr/lib/dovecot/modules/lib90_sieve_plugin.so")
ANN = "ann@agent.example"
SENDER = parse_address("notices@gateway.example")
RETURN_PATH = f"b-{'0' * 32}-{'a' * 20}@gateway.example"
AT = datetime(2026, 3, 1, 15, 4, tzinfo=UTC)
CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
mail_location = maildir:{folder}/Maildir
sendmail_path = {folder}/sendmail
postmaster_address = postmaster@agent.example
hostname = mail.agent.example
ssl = no
protocol lda {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:{folder}/away.sieve
  sieve_user_email = {ann}
}}
"""


@dataclass
class Mailbox:
    """Ann's, who is away."""

    folder: Path

    def receive(self, mail: bytes, sender: str) -> str:
        """Deliver a mail as a mail system would; return what the responder sent for it."""
        answers = self.folder / "answers"
        for stale in (answers, self.folder / ".dovecot.lda-dupes"):
            stale.unlink(missing_ok=True)
        done = subprocess.run(
            [LDA, "-c", self.folder / "dovecot.conf", "-e", "-f", sender, "-a", ANN],
            input=mail,
            env={"HOME": str(self.folder), "USER": "ann"},
            capture_output=True,
            check=False,
            user="nobody",
            group="nogroup",
            extra_groups=[],
        )
        assert done.returncode == 0, done.stderr
        return answers.read_text("utf-8") if answers.exists() else ""

    @property
    def count(self) -> int:
        return len(list((self.folder / "Maildir" / "new").iterdir()))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    if not (LDA.exists() and SIEVE.exists()):
        pytest.skip("needs Dovecot with Sieve: make peers")
    if os.getuid() != 0:
        pytest.skip("needs root, to become another user")
    folder = Path(tempfile.mkdtemp(prefix="away-"))
    (folder / "dovecot.conf").write_text(CONFIGURATION.format(folder=folder, ann=ANN))
    (folder / "away.sieve").write_text(f'require ["vacation"];\nvacation :days 1 :addresses ["{ANN}"] "I am away.";\n')
    (folder / "sendmail").write_text(f"#!/bin/sh\ncat >> {folder}/answers\n")
    (folder / "sendmail").chmod(0o755)
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "nobody", "nogroup")
    yield Mailbox(folder)
    shutil.rmtree(folder)


def notification(kind: NoticeKind, renderer: Renderer) -> bytes:
    notice = Notice(kind, "en", Reference("SM", "7K2Q", "9F4T"), "https://gateway.example/", AT, "production")
    draft = Draft(notice, parse_address(ANN), "0123456789abcdef")
    return sign(renderer.signed(draft, renderer.render(draft, PROGRAMMES["cwa"])), (SIGNER,), AT)


def test_no_notification_of_any_kind_is_answered(mailbox: Mailbox, tmp_path: Path) -> None:
    own = card("Notices", str(SENDER))
    (tmp_path / "own.pem").write_bytes(own.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "own.key").write_bytes(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signer = load_mail_signer(tmp_path / "own.pem", tmp_path / "own.key", SENDER, NOW)
    for renderer in (Renderer(TEMPLATES, SENDER), Renderer(TEMPLATES, SENDER, signer)):
        for kind in NoticeKind:
            assert mailbox.receive(notification(kind, renderer), RETURN_PATH) == "", kind
    assert mailbox.count == 2 * len(NoticeKind)


def test_the_responder_would_answer_without_what_our_notifications_say_of_themselves(mailbox: Mailbox) -> None:
    person = f"From: Bob <bob@elsewhere.example>\r\nTo: {ANN}\r\nSubject: Hello\r\n\r\nHello\r\n".encode()
    assert "Auto-Submitted: auto-replied" in mailbox.receive(person, "bob@elsewhere.example")
    ours = notification(NoticeKind.MESSAGE_WAITING, Renderer(TEMPLATES, SENDER))
    for line in (b"Auto-Submitted: auto-generated\r\n", b"X-Auto-Response-Suppress: All\r\n"):
        assert line in ours
        ours = ours.replace(line, b"")
    assert "I am away." in mailbox.receive(ours, "notices@gateway.example")
