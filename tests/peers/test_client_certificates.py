"""Mail tools that sign in with a client certificate, as of a PIV card (SASL EXTERNAL), and what is refused."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import shutil
import smtplib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.authenticator.client import AuthenticatorClient
from gateway.authenticator.policy import Policy
from gateway.casework.addressing import Mailroom
from gateway.config import ClientCertificateSettings
from gateway.domain.credential import CertificateName
from gateway.domain.errors import AuthenticatorUnavailable, Malformed, NotAuthenticated, RateExceeded
from gateway.identity.certificates import load_certificate, names_in
from gateway.inbound.listener import ClientTls, DoorLimits, Listener, Offer, open_listener
from gateway.inbound.submission import SubmissionDoor
from tests.people_certificates import FASC, TestAuthority
from tests.portal.house import DOMAIN, House, Rules, Someone, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
Pair = tuple[Path, Path]


@dataclass
class Scene:
    house: House
    authority: TestAuthority
    starttls: Listener
    tls: Listener
    people: ClientTls
    authenticator: AuthenticatorClient
    case_address: str
    ines: Someone
    card: Pair

    async def check(self, pair: Pair, name: str = "", address: str = "192.0.2.1") -> str:
        octets = ssl.PEM_cert_to_DER_cert(pair[0].read_text())
        return (await self.authenticator.check_certificate(name, octets, address)).person_id


@contextlib.asynccontextmanager
async def opened(
    folder: Path, authority: TestAuthority, *, ocsp: str = "", crl: bool = True, card: Pair | None = None
) -> AsyncIterator[Scene]:
    card = card or authority.issue("ines")
    settings = ClientCertificateSettings(authority.file, CertificateName.UPN, authority.crl if crl else None, ocsp)
    rules = Rules(Policy(app_passwords=False))
    async with open_house(rules=rules, certificates=settings) as house:
        ines = await house.add_employee("Ines Adler")
        case_id, reference = await house.open_case(ines)
        await house.add_user("Raul Vega", [case_id])
        await register(house, ines, card[0].read_text())
        client = AuthenticatorClient(house.folder / "authenticator.sock")
        mailroom = Mailroom(DOMAIN, frozenset({"agency.example"}), "the desk", house.authority)
        door = SubmissionDoor(house.database, house.blobs, client, {"cwa": mailroom}, house.deposit_key, lambda: None)
        people = ClientTls(house.certificate, house.folder / "tls.key", authority.file)
        more: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "tls": None, "hostname": DOMAIN, "require_auth": True}
        more |= {"limits": DoorLimits(error_delay_seconds=0.001, guess_seconds=0.001, auth_failures=20)}
        more |= {"offer": Offer(passwords=False), "people": people}
        starttls = await open_listener(door, name="starttls", implicit_tls=False, **more)
        tls = await open_listener(door, name="tls", implicit_tls=True, **more)
        address = f"{reference.lower()}@{DOMAIN}"
        try:
            yield Scene(house, authority, starttls, tls, people, client, address, ines, card)
        finally:
            await asyncio.gather(starttls.close(1), tls.close(1), client.close())


async def register(house: House, person: Someone, given: str) -> str:
    lookup, label = await house.authenticator_operator.make_certificate(given)
    await house.operator.enact("add_credential", person=person.id, kind="certificate", label=label, lookup=lookup)
    return label


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("cards")
    async with opened(folder, TestAuthority(folder / "ca")) as one:
        yield one


@pytest.fixture(autouse=True)
def fresh_list(scene: Scene) -> None:
    scene.authority.publish()


def letter(scene: Scene, subject: str) -> bytes:
    head = f"From: Ines <{scene.ines.address}>\r\nTo: {scene.case_address}\r\nSubject: {subject}\r\n"
    return f"{head}Message-ID: <{subject}@agency.example>\r\n\r\nHello.\r\n".encode()


def run(command: list[str], octets: bytes = b"") -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: make peers")
    done = subprocess.run(command, input=octets, capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def by_curl(scene: Scene, door: str, pair: Pair, octets: bytes) -> str:
    port = scene.starttls.port if door == "starttls" else scene.tls.port
    scheme = "smtp" if door == "starttls" else "smtps"
    return run([
        "curl", "--silent", "--show-error", "--verbose", "--disable", "--ssl-reqd", "--cacert",
        str(scene.house.certificate), "--cert", str(pair[0]), "--key", str(pair[1]),
        f"{scheme}://localhost:{port}", "--user", f"{scene.ines.address}:", "--login-options", "AUTH=EXTERNAL",
        "--mail-from", scene.ines.address, "--mail-rcpt", scene.case_address, "--upload-file", "-",
    ], octets)  # fmt: skip


def by_smtplib(scene: Scene, door: str, pair: Pair, octets: bytes) -> str:
    trust = ssl.create_default_context(cafile=scene.house.certificate)
    trust.load_cert_chain(*pair)
    implicit = door == "tls"
    more = {"context": trust} if implicit else {}
    port = scene.tls.port if implicit else scene.starttls.port
    with (smtplib.SMTP_SSL if implicit else smtplib.SMTP)("localhost", port, timeout=60, **more) as client:
        if not implicit:
            client.starttls(context=trust)
        client.ehlo()
        client.auth("EXTERNAL", lambda _challenge=None: "")
        client.mail(scene.ines.address)
        client.rcpt(scene.case_address)
        code, text = client.data(octets)
    return f"< {code} {text.decode()}"


def by_openssl(scene: Scene, door: str, pair: Pair, octets: bytes) -> str:
    port = scene.starttls.port if door == "starttls" else scene.tls.port
    said = b"EHLO tool.example\r\nAUTH EXTERNAL =\r\n"
    said += f"MAIL FROM:<{scene.ines.address}>\r\nRCPT TO:<{scene.case_address}>\r\n".encode()
    said += f"BDAT {len(octets)} LAST\r\n".encode() + octets + b"QUIT\r\n"
    command = ["openssl", "s_client", "-connect", f"localhost:{port}", "-CAfile", str(scene.house.certificate)]
    command += ["-cert", str(pair[0]), "-key", str(pair[1]), "-quiet", "-ign_eof"]
    heard = run(command + (["-starttls", "smtp"] if door == "starttls" else []), said)
    return heard.replace("\n250 2.6.0 ", "\n< 250 2.6.0 ").replace("\n535 ", "\n< 535 ")


TOOLS: dict[str, Callable[[Scene, str, Pair, bytes], str]] = {
    "curl": by_curl,
    "smtplib": by_smtplib,
    "openssl": by_openssl,
}


@pytest.mark.parametrize("door", ["starttls", "tls"])
@pytest.mark.parametrize("tool", TOOLS)
async def test_a_mail_tool_hands_in_mail_with_a_card(scene: Scene, tool: str, door: str) -> None:
    said = await asyncio.to_thread(TOOLS[tool], scene, door, scene.card, letter(scene, f"{tool}-{door}"))
    assert "< 250 2.6.0 " in said, said


async def test_swaks_shows_the_card_and_hears_that_it_may_sign_in_by_it(scene: Scene) -> None:
    command = ["swaks", "--server", "localhost", "--port", str(scene.starttls.port), "--tls", "--quit-after", "HELO"]
    command += ["--tls-cert", str(scene.card[0]), "--tls-key", str(scene.card[1])]
    said = await asyncio.to_thread(run, command)
    assert "250-AUTH EXTERNAL" in said.replace("<~  ", ""), said


async def test_a_revoked_card_is_refused_in_words(scene: Scene) -> None:
    lost = scene.authority.issue("lost", upn="ines@agency.example")
    assert await scene.check(lost) == scene.ines.id
    scene.authority.revoke(lost[0])
    scene.authority.publish()
    for door in ("starttls", "tls"):
        said = await asyncio.to_thread(by_curl, scene, door, lost, letter(scene, "revoked"))
        assert "< 535 5.7.8 Your certificate is revoked. Ask those who gave it to you for a new one." in said
    said = await asyncio.to_thread(by_openssl, scene, "tls", lost, letter(scene, "revoked"))
    assert "< 535 5.7.8 Your certificate is revoked." in said
    assert "250 2.6.0" not in said
    assert await scene.check(scene.card, address="192.0.2.9") == scene.ines.id


async def test_without_a_list_of_now_it_is_later_and_never_good(scene: Scene) -> None:
    scene.authority.publish(over=True)
    with pytest.raises(AuthenticatorUnavailable, match="cannot be looked up now"):
        await scene.check(scene.card)
    scene.authority.publish(by=rsa.generate_private_key(65537, 2048))
    with pytest.raises(AuthenticatorUnavailable, match="cannot be looked up now"):
        await scene.check(scene.card)
    scene.authority.publish()
    assert await scene.check(scene.card) == scene.ines.id


async def test_a_card_of_another_authority_purpose_or_time_is_refused(scene: Scene, tmp_path: Path) -> None:
    upn = "ines@agency.example"
    stranger = TestAuthority(tmp_path / "stranger").issue("one", upn=upn)
    namesake = TestAuthority(tmp_path / "namesake", scene.authority.name).issue("two", upn=upn)
    server = scene.authority.issue("three", upn=upn, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    old = scene.authority.issue("four", upn=upn, until=-dt.timedelta(minutes=1))
    for number, (pair, words) in enumerate((
        (stranger, "authority known here"), (namesake, "authority known here"),
        (server, "authority known here"), (old, "has expired"),
    )):  # fmt: skip
        with pytest.raises(NotAuthenticated, match=words):
            await scene.check(pair, address=f"198.51.100.{number}")
        said = await asyncio.to_thread(by_curl, scene, "tls", pair, letter(scene, f"wrong-{number}"))
        assert "< 250 2.6.0 " not in said
        assert "< 235 " not in said
    anything = scene.authority.issue("five", upn=upn, purpose=None)
    assert await scene.check(anything) == scene.ines.id
    with pytest.raises(NotAuthenticated):
        await scene.check((scene.authority.file, scene.card[1]), address="198.51.100.9")


async def test_a_good_card_of_nobody_here_is_refused(scene: Scene) -> None:
    nobody = scene.authority.issue("nobody")
    with pytest.raises(NotAuthenticated, match="registered for nobody here"):
        await scene.check(nobody, address="198.51.100.20")


async def test_one_acts_as_oneself_only(scene: Scene) -> None:
    await scene.house.add_employee("Omar Idris")
    for name in ("", "ines", "Ines@agency.example"):
        assert await scene.check(scene.card, name) == scene.ines.id
    with pytest.raises(NotAuthenticated, match="not that person's"):
        await scene.check(scene.card, "omar@agency.example")


async def test_without_a_card_external_is_not_offered_and_refused_in_words(scene: Scene) -> None:
    trust = ssl.create_default_context(cafile=scene.house.certificate)

    def converse() -> tuple[bool, tuple[int, bytes], tuple[int, bytes]]:
        with smtplib.SMTP_SSL("localhost", scene.tls.port, timeout=60, context=trust) as client:
            client.ehlo()
            external = "EXTERNAL" in client.esmtp_features.get("auth", "")
            plain = base64.b64encode(b"\0ines\0secret").decode()
            return external, client.docmd("AUTH", "EXTERNAL ="), client.docmd("AUTH", f"PLAIN {plain}")

    offered, refused, password = await asyncio.to_thread(converse)
    assert not offered
    assert refused == (535, b"5.7.8 show your client certificate as TLS begins, then say AUTH")
    assert password[0] == 504


async def test_a_registration_that_ends_ends_the_way_in(scene: Scene) -> None:
    vera = await scene.house.add_employee("Vera Lang")
    card = scene.authority.issue("vera")
    label = await register(scene.house, vera, card[0].read_text())
    assert label == "upn vera@agency.example"
    found = await scene.authenticator.check_certificate("", ssl.PEM_cert_to_DER_cert(card[0].read_text()), "192.0.2.4")
    assert found.person_id == vera.id
    with pytest.raises(Malformed, match="somebody's already"):
        await register(scene.house, scene.ines, "vera@agency.example")
    await scene.house.operator.enact("revoke_credential", person=vera.id, credential=found.credential_id)
    with pytest.raises(NotAuthenticated, match="registered for nobody"):
        await scene.check(card, address="198.51.100.30")


async def test_only_what_would_sign_in_is_registered(scene: Scene) -> None:
    for given in ("", "two words@x", "no-address", scene.authority.file.read_text(), "-----BEGIN CERTIFICATE-----\nx"):
        with pytest.raises(Malformed):
            await scene.house.authenticator_operator.make_certificate(given)


async def test_guesses_with_cards_are_slowed_down(scene: Scene) -> None:
    nobody = scene.authority.issue("guess")
    with scene.house.clock.standing():
        for _ in range(3):
            with pytest.raises(NotAuthenticated):
                await scene.check(nobody, "guess@agency.example", "203.0.113.9")
        with pytest.raises(RateExceeded):
            await scene.check(nobody, "guess@agency.example", "203.0.113.9")


async def test_authorities_are_renewed_for_new_handshakes(scene: Scene, tmp_path: Path) -> None:
    other = TestAuthority(tmp_path / "other", "Another People CA")
    before = scene.authority.file.read_bytes()
    card = other.issue("ines")
    scene.authority.file.write_bytes(before + other.file.read_bytes())
    try:
        scene.people.renew()
        other.publish()
        lists = scene.authority.crl.read_bytes() + other.crl.read_bytes()
        scene.authority.crl.write_bytes(lists)
        said = await asyncio.to_thread(by_curl, scene, "tls", card, letter(scene, "renewed"))
        assert "< 250 2.6.0 " in said, said
    finally:
        scene.authority.file.write_bytes(before)
        scene.people.renew()


async def test_a_responder_is_asked_and_believed(tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path / "ca")
    lost = authority.issue("lost", upn="ines@agency.example")
    card = authority.issue("ines")
    authority.revoke(lost[0])
    async with (
        authority.responder() as address,
        opened(tmp_path, authority, ocsp=address, crl=False, card=card) as scene,
    ):
        assert await scene.check(card) == scene.ines.id
        with pytest.raises(NotAuthenticated, match="revoked"):
            await scene.check(lost)
        with pytest.raises(AuthenticatorUnavailable):  # it was issued after the responder began: unknown
            await scene.check(authority.issue("late", upn="ines@agency.example"), address="192.0.2.7")


async def test_with_the_responder_away_the_lists_decide_and_without_lists_it_is_later(tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path / "ca")
    async with opened(tmp_path, authority, ocsp="http://127.0.0.1:9/") as scene:
        assert await scene.check(scene.card) == scene.ines.id
        authority.revoke(scene.card[0])
        authority.publish()
        with pytest.raises(NotAuthenticated, match="revoked"):
            await scene.check(scene.card)


@pytest.mark.parametrize(("kind", "name"), [("email", "ines@agency.example"), ("fasc-n", FASC.hex())])
async def test_other_names_count_where_they_are_configured(kind: str, name: str, tmp_path: Path) -> None:
    card = TestAuthority(tmp_path / "ca").issue("Ines")
    assert names_in(load_certificate(card[0].read_bytes()), CertificateName(kind)) == (name,)
