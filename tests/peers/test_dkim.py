"""What the notifier signs, judged by two verifiers that have nothing of ours: OpenDKIM and dkimpy."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest

from gateway.domain.address import Address, parse_address
from gateway.domain.notice import Notice, NoticeKind
from gateway.domain.reference import Reference
from gateway.outbound.dkim import Signer, sign
from gateway.outbound.dkim_keys import Algorithm, KeyFolder, KeyState
from gateway.outbound.notification import Draft, Renderer
from gateway.outbound.tls_report import TlsReport
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome
from tests.notifying import PROGRAMMES, TEMPLATES
from tests.postfix import fates_of, hand_in, postfix_folder, running_postfix
from tests.relay import Certificate, Sink, relay
from tests.reporting import OURS

AT = datetime(2026, 3, 1, tzinfo=UTC)
RENDERER = Renderer(TEMPLATES, parse_address("notices@gateway.example"))
MAIL = (
    b"Date: Sun, 01 Mar 2026 00:00:00 +0000\r\nFrom: =?utf-8?B?w4k=?=\r\n <notices@gateway.example>\r\n"
    b"To:  ann@agent.example\r\nSubject: folded\r\n \t and spaced\r\nMessage-ID: <1@gateway.example>\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_x"\r\nAuto-Submitted: auto-generated\r\n'
    b"X-Auto-Response-Suppress: All\r\n\r\n--=_x\r\n\r\nTwo  spaces \r\n\r\n.dot\r\n--=_x--\r\n\r\n\r\n"
)


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Signer, ...]:
    """Both algorithms side by side, as `gateway dkim` makes them."""
    folder = KeyFolder(tmp_path_factory.mktemp("keys") / "dkim", "gateway.example")
    for algorithm in Algorithm:
        folder.make(f"gw-{algorithm}", algorithm, AT)
        folder.mark(f"gw-{algorithm}", KeyState.PUBLISHED, AT)
        folder.activate(f"gw-{algorithm}", AT)
    return folder.signers()


def judged_by_opendkim(mail: bytes, signers: tuple[Signer, ...], folder: Path) -> str:
    """What it writes into Authentication-Results. Its keys come from a file in place of DNS."""
    program = shutil.which("opendkim") or "/usr/sbin/opendkim"
    if not Path(program).exists():
        pytest.skip("needs OpenDKIM: make peers")
    (folder / "keys").write_text("".join(f"{name} {text}\n" for name, text in (one.record for one in signers)))
    (folder / "conf").write_text(
        f"Mode v\nTestPublicKeys {folder}/keys\nSyslog no\nAlwaysAddARHeader yes\nAuthservID test\n"
        "InternalHosts /dev/null\n"
    )
    (folder / "mail").write_bytes(mail)
    command = [program, "-x", str(folder / "conf"), "-vvv", "-t", str(folder / "mail")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout + done.stderr


def test_opendkim_verifies_both_signatures(signers: tuple[Signer, ...], tmp_path: Path) -> None:
    told = judged_by_opendkim(sign(MAIL, signers, AT), signers, tmp_path)
    for algorithm in ("rsa-sha256", "ed25519-sha256"):
        assert [line for line in told.splitlines() if "dkim=pass" in line and f"header.a={algorithm}" in line], told
    assert "dkim=fail" not in told


@pytest.mark.parametrize(
    ("old", "new"), [(b".dot", b".dit"), (b"Subject:", b"Reply-To: x@evil.example\r\nSubject:"), (b"ann@", b"eve@")]
)
def test_opendkim_sees_what_was_changed(signers: tuple[Signer, ...], tmp_path: Path, old: bytes, new: bytes) -> None:
    told = judged_by_opendkim(sign(MAIL, signers, AT).replace(old, new, 1), signers, tmp_path)
    assert "dkim=fail" in told
    assert "dkim=pass" not in told


def test_dkimpy_verifies_both_signatures(signers: tuple[Signer, ...]) -> None:
    pytest.importorskip("nacl", reason="needs PyNaCl for dkimpy's Ed25519: make setup")
    records = dict(one.record for one in signers)
    mail = sign(MAIL, signers, AT)

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return records[name.decode().rstrip(".")].encode()

    assert [dkim.DKIM(mail).verify(idx=number, dnsfunc=look_up) for number in range(len(signers))] == [True, True]


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_notification_is_verified_by_opendkim(signers: tuple[Signer, ...], tmp_path: Path, language: str) -> None:
    for kind in NoticeKind:
        mail = notification(kind, language)
        told = judged_by_opendkim(sign(mail, signers, AT), signers, tmp_path)
        assert told.count("dkim=pass") == len(signers), (kind, told)


def test_a_tls_report_is_verified_by_opendkim(signers: tuple[Signer, ...], tmp_path: Path) -> None:
    outcome = TlsOutcome(PolicyType.STS, ResultType.CERTIFICATE_EXPIRED, "mx.agent.example", 3)
    report = TlsReport(OURS, AT.date(), "agent.example", [outcome] * 400, AT)
    told = judged_by_opendkim(sign(report.mail(parse_address("tls@agent.example")), signers, AT), signers, tmp_path)
    assert told.count("dkim=pass") == len(signers), told


async def test_a_signature_outlasts_a_real_postfix(signers: tuple[Signer, ...], tmp_path: Path) -> None:
    sink, certificate = Sink(), Certificate(tmp_path)
    with postfix_folder() as folder:
        async with relay(sink, certificate) as port:
            with running_postfix(
                folder, f"transport_maps = inline:{{ agent.example=smtp:[127.0.0.1]:{port} }}\n"
            ) as mta:
                mail = sign(notification(NoticeKind.MESSAGE_WAITING, "es"), signers, AT).decode("ascii")
                await asyncio.to_thread(hand_in, mta, "notices@gateway.example", ["ann@agent.example"], mail)
                await fates_of(folder, 1)
    (envelope,) = sink.mail
    content = envelope.content
    assert isinstance(content, bytes)
    assert content.startswith(b"Received:")
    told = judged_by_opendkim(content, signers, tmp_path)
    assert told.count("dkim=pass") == len(signers), told


def notification(kind: NoticeKind, language: str) -> bytes:
    fields = {"reference": Reference("SM", "7K2Q", "9F4T"), "portal": "https://gateway.example/", "at": AT}
    notice = Notice(kind=kind, language=language, environment="production", **fields)  # type: ignore[arg-type]
    answer = Address("sm-7k2q", "gateway.example") if kind.is_answered_in_the_case else None
    draft = Draft(notice, parse_address("ann@agent.example"), "0123456789abcdef", answer)
    return RENDERER.render(draft, PROGRAMMES["cwa"])
