"""A reply written in the portal comes home whole: encrypted to its employee, sent once, opened by their own program."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import func, select

from gateway.domain.recipient_key import KeyKind, RecipientKey
from gateway.mime.openpgp_signing import OpenPgpKey
from gateway.parcels.making import Signer
from gateway.parcels.openpgp_key import check_openpgp
from gateway.portal.parcelling import Parcelling
from gateway.store import tables
from gateway.store.recipient_keys import enter_look
from gateway.store.transaction import Transaction
from tests.notifying import notifier
from tests.peers.test_parcels import PUSH, run_mutt
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import House, Rules, Someone, open_house
from tests.relay import Certificate, Sink, relay
from tests.ring import Ring, open_ring, write_proven
from tests.said import said_in
from tests.signing import DAY, card

pytestmark = pytest.mark.asyncio(loop_scope="module")
for program in ("gpg", "openssl", "mutt"):
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}: make peers", allow_module_level=True)

MOST = 60_000
SUBJECT = "The hall in Coventry"
WORDS = "We lease the hall for eleven weeks."
LEASE = b"%PDF-1.7 lease of the hall " * 90
INES = "ines@agency.example"
SENDER = "Agency Messages <messages@agency.example>"
PROGRAMME = frozenset({"cwa"})


@dataclass
class Copied:
    """A house that permits full copies, the gpg of its employee, and where their mail comes."""

    story: Story
    ring: Ring
    own: OpenPgpKey
    certificate: Certificate

    @property
    def house(self) -> House:
        return self.story.house

    async def sent(self, sink: Sink, permitted: frozenset[str] = PROGRAMME) -> list[EmailMessage]:
        """Send what is due, and return what came to Ines."""
        self.house.clock.advance(90)  # nothing waits to be told together
        async with relay(sink, self.certificate) as port:
            mine = notifier(
                self.house.database, port, self.certificate.path, self.house.folder, self.house.clock,
                authority=self.house.authority, full_copies=permitted,
            )  # fmt: skip
            await mine.send_due()
        mails = [mail for one in sink.mail if one.rcpt_tos == [INES] and (mail := one.content)]
        return [email.message_from_bytes(mail, policy=email.policy.default) for mail in mails]  # type: ignore[misc]

    async def parcels(self) -> int:
        return int(
            await self.house.database.read(lambda rows: rows.execute(select(func.count(tables.parcel.c.id))).scalar())
        )

    async def entries(self, kind: str) -> list[str]:
        statement = select(tables.leaf.c.body).where(tables.leaf.c.kind == kind).order_by(tables.leaf.c.id)
        return list(await self.house.database.read(lambda rows: rows.execute(statement).scalars().all()))

    async def choose(self, *, full: bool, someone: Someone | None = None) -> None:
        person = (someone or self.story.ines).id
        await self.house.operator.enact("choose_notices", person=person, full_copies=full)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def copied(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Copied]:
    folder = tmp_path_factory.mktemp("copies")
    own = OpenPgpKey(Ed25519PrivateKey.generate(), NOW(), SENDER)
    rules = Rules(parcelling=Parcelling(PROGRAMME, MOST, Signer(openpgp=own)))
    with open_ring(folder / "ring") as ring:
        async with open_house(rules=rules) as house:
            found = Copied(await tell(house), ring, own, Certificate(folder))
            key = check_openpgp(ring.public(ring.key(f"Ines Adler <{INES}>", "cv25519 encr 1y")), [INES], house.clock())
            await give(house, found.story.ines, key)
            await found.choose(full=True)
            await found.sent(Sink())  # what was to be told before
            yield found


def NOW():  # noqa: ANN201 - an instant a day ago, so that the key counts by any clock here
    from datetime import UTC, datetime

    return datetime.now(UTC).replace(microsecond=0) - DAY


async def give(house: House, someone: Someone, key: RecipientKey) -> None:
    """Let it be so that an employee has a key, proven to be theirs."""
    await house.database.run(write_proven, house.folder / "keys", someone.id, key)


async def reply(copied: Copied, text: str = WORDS, lease: bytes = LEASE, subject: str = SUBJECT) -> str:
    """Berg writes in the portal; return the message's reference."""
    async with Browser(copied.house) as berg:
        await berg.sign_in(copied.story.berg)
        path = f"/cases/{copied.story.case}/write"
        answer = await berg.write(path, subject, text, [("Lease Coventry.pdf", lease, "application/pdf")])
    assert answer.status_code == 303, answer.text
    return re.search(r"/messages/([A-Z0-9-]+)/sent", answer.headers["location"])[1]


def opened(copied: Copied, mail: EmailMessage) -> EmailMessage:
    """Return what gpg finds in a mail: the signed entity's first part."""
    version, sealed = mail.iter_parts()
    assert version.get_content_type() == "application/pgp-encrypted"
    clear = copied.ring.gpg("--decrypt", octets=sealed.get_content()).stdout
    signed = email.message_from_bytes(clear, policy=email.policy.default)
    assert signed.get_content_type() == "multipart/signed"
    return next(iter(signed.iter_parts()))


def is_link_only(mail: EmailMessage) -> bool:
    words = mail.get_body(("plain",))
    return mail.get_content_type() == "multipart/alternative" and "has written" in words.get_content()


async def test_gpg_opens_what_the_notice_of_a_reply_brings(copied: Copied) -> None:
    reference = await reply(copied)
    assert await copied.parcels() == 1
    (mail,) = await copied.sent(Sink())
    assert mail.get_content_type() == "multipart/encrypted"
    assert str(mail["Reply-To"]).endswith("@gateway.example>" if "<" in str(mail["Reply-To"]) else "@gateway.example")
    assert re.match(r"<notice\.\w+@gateway\.example>", mail["Message-ID"])
    inside = opened(copied, mail)
    assert inside["Subject"] == f"[{copied.story.case}] {SUBJECT}"
    text, lease = inside.iter_parts()
    assert WORDS in text.get_content()
    assert "From: Berg Tobias" in text.get_content()
    assert (lease.get_filename(), lease.get_content()) == ("Lease Coventry.pdf", LEASE)
    assert "berg@firm.example" not in inside.as_string()  # an answer goes sealed, not to them in clear
    assert await copied.parcels() == 0
    named = select(tables.message.c.id).where(tables.message.c.reference == reference)
    message_id = await copied.house.database.read(lambda rows: rows.execute(named).scalar_one())
    assert any(message_id in one for one in await copied.entries("parcel-made"))
    assert '"outcome":"sent"' in (await copied.entries("parcel-destroyed"))[-1]


async def test_nothing_of_a_reply_rests_readable_while_its_copy_waits(copied: Copied) -> None:
    await reply(copied)
    assert await copied.parcels() == 1
    files = [path for path in copied.house.folder.rglob("*") if path.is_file()]
    assert any(b"BEGIN PGP MESSAGE" in path.read_bytes() for path in files)
    for path in files:
        octets = path.read_bytes()
        assert not [words for words in (WORDS.encode(), SUBJECT.encode(), LEASE[:60]) if words in octets], path.name
    await copied.sent(Sink())


async def test_nothing_outside_of_the_ciphertext_says_more_than_a_notice(copied: Copied) -> None:
    await reply(copied)
    (mail,) = await copied.sent(Sink())
    await copied.choose(full=False)
    await reply(copied)
    (plain,) = await copied.sent(Sink())
    await copied.choose(full=True)
    alike = ("From", "To", "Subject", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language")
    assert [mail[name] for name in alike] == [plain[name] for name in alike]
    assert {*mail.keys()} == {*plain.keys()}
    told = said_in(bytes(mail))  # not the ciphertext, in whose armour any four letters may stand
    for word in (SUBJECT, "Berg", "Lease", "Coventry"):
        assert word not in told


async def test_mutt_shows_the_reply_its_subject_and_who_signed_it(copied: Copied, tmp_path: Path) -> None:
    copied.ring.gpg("--import", octets=copied.own.certificate)
    await reply(copied)
    (mail,) = await copied.sent(Sink())
    first = b"From MAILER Mon Nov 23 00:00:00 2026\n"
    (tmp_path / "mbox").write_bytes(first + bytes(mail).replace(b"\r\n", b"\n") + b"\n")
    (tmp_path / "shown").mkdir()
    settings = {"pager": f"cp -t {tmp_path}/shown", "prompt_after": "no", "crypt_use_gpgme": "yes", "folder": tmp_path}
    (tmp_path / "muttrc").write_text("".join(f'set {name}="{value}"\n' for name, value in settings.items()))
    command = ["mutt", "-n", "-R", "-F", f"{tmp_path}/muttrc", "-f", f"{tmp_path}/mbox", "-e", PUSH]
    run_mutt(command, copied.ring.home)
    (shown,) = (tmp_path / "shown").iterdir()
    told = shown.read_text()
    assert WORDS in told
    assert "Good signature from" in told
    assert re.search(rf"^Subject: \[.*\] {SUBJECT}$", told, re.MULTILINE)


async def test_openssl_opens_the_copy_of_somebody_with_a_certificate(copied: Copied, tmp_path: Path) -> None:
    house, now = copied.house, copied.house.clock()
    valid = (now - DAY, now + 400 * DAY)
    root, private = card("Root", ca=True, valid=valid), rsa.generate_private_key(65537, 2048)
    ute = await house.add_employee("Ute Ross")
    mine = card("Ute Ross", ute.address, issuer=root, key=private, valid=valid)
    await give(house, ute, RecipientKey(KeyKind.SMIME, mine.octets + root.octets, "CD" * 32, valid[1], ute.address))
    await house.database.run(look_up_all)
    await copied.choose(full=True, someone=ute)
    case_id, case = await house.open_case(ute)
    otto = await house.add_user("Olga Venn", [case_id])
    async with Browser(house) as browser:
        await browser.sign_in(otto)
        assert (await browser.write(f"/cases/{case}/write", SUBJECT, WORDS)).status_code == 303
    sink = Sink()
    await copied.sent(sink)
    came = [bytes(one.content) for one in sink.mail if one.rcpt_tos == [ute.address]]  # type: ignore[arg-type]
    (octets,) = [mail for mail in came if b"application/pkcs7-mime" in mail]
    (tmp_path / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "in.eml").write_bytes(octets)
    command = ["openssl", "cms", "-decrypt", "-inkey", "key.pem", "-in", "in.eml"]
    done = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, check=True)
    clear = done.stdout
    assert WORDS.encode() in clear


def look_up_all(tx: Transaction) -> None:
    """Let it be so that all certificates were looked up just now."""
    for row in tx.all(select(tables.recipient_key.c.id).where(tables.recipient_key.c.kind == KeyKind.SMIME.value)):
        enter_look(tx, row.id, is_revoked=False)


@pytest.mark.parametrize("missing", ["choice", "permission", "key"])
async def test_without_choice_permission_or_key_no_parcel_exists(copied: Copied, missing: str) -> None:
    before = await copied.entries("parcel-made")
    (mail,) = await sent_without(copied, missing)
    assert is_link_only(mail)
    assert await copied.entries("parcel-made") == before


async def sent_without(copied: Copied, missing: str) -> list[EmailMessage]:
    """Have a reply written and sent where something is missing; return what came."""
    if missing == "permission":
        async with open_house() as house:
            other = Copied(await tell(house), copied.ring, copied.own, copied.certificate)
            await other.choose(full=True)
            await other.sent(Sink(), frozenset())
            await reply(other)
            assert await other.parcels() == 0
            return await other.sent(Sink(), frozenset())
    if missing == "choice":
        await copied.choose(full=False)
        await reply(copied)
        await copied.choose(full=True)
    else:
        restore = await end_key(copied)
        await reply(copied)
        await restore()
    assert await copied.parcels() == 0
    return await copied.sent(Sink())


async def end_key(copied: Copied):  # noqa: ANN201
    """Take the key of Ines away; return what gives it back."""
    row = await copied.house.database.read(
        lambda rows: rows.execute(
            select(tables.recipient_key).where(tables.recipient_key.c.person_id == copied.story.ines.id)
        ).first()
    )
    gone = tables.recipient_key.delete().where(tables.recipient_key.c.id == row.id)
    await copied.house.database.run(lambda tx: tx.execute(gone))

    async def restore() -> None:
        await copied.house.database.run(lambda tx: tx.insert(tables.recipient_key, **row._mapping))

    return restore


async def test_a_reply_that_is_too_large_comes_as_its_link_with_the_reason_entered(copied: Copied) -> None:
    await reply(copied, lease=bytes(MOST))
    assert await copied.parcels() == 0
    (mail,) = await copied.sent(Sink())
    assert is_link_only(mail)
    assert '"reason":"too-large"' in (await copied.entries("parcel-not-made"))[-1]


@pytest.mark.parametrize("between", ["key-gone", "not-chosen", "not-permitted"])
async def test_what_changes_before_it_is_sent_leaves_the_link(copied: Copied, between: str) -> None:
    await reply(copied)
    assert await copied.parcels() == 1
    if between == "key-gone":
        restore = await end_key(copied)
        (mail,) = await copied.sent(Sink())
        await restore()
    elif between == "not-chosen":
        await copied.choose(full=False)
        (mail,) = await copied.sent(Sink())
        await copied.choose(full=True)
    else:
        (mail,) = await copied.sent(Sink(), frozenset())
    assert is_link_only(mail)
    assert await copied.parcels() == 0
    assert f'"outcome":"{between}"' in (await copied.entries("parcel-destroyed"))[-1]


class Small(Sink):
    """A host that takes nothing encrypted, as if it were too big."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if b"multipart/encrypted" in bytes(envelope.content or b""):
            return "552 5.3.4 too big for us"
        return await super().handle_DATA(server, session, envelope)


async def test_a_host_that_refuses_it_gets_the_link_at_once(copied: Copied) -> None:
    await reply(copied)
    (mail,) = await copied.sent(Small())
    assert is_link_only(mail)
    assert await copied.parcels() == 0
    assert '"outcome":"not-taken"' in (await copied.entries("parcel-destroyed"))[-1]


async def test_a_repeat_is_the_same_mail(copied: Copied) -> None:
    await reply(copied)
    kept = await copied.house.database.read(lambda rows: rows.execute(select(tables.parcel)).one())
    busy = Sink()
    busy.data_replies = ["451 4.3.0 later"] * 3
    assert await copied.sent(busy) == []
    assert await copied.parcels() == 1
    copied.house.clock.advance(3600)
    (mail,) = await copied.sent(Sink())
    assert bytes(kept.ciphertext).rstrip() in bytes(mail).replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n")
    assert await copied.parcels() == 0


async def test_a_parcel_that_is_not_as_it_was_stored_is_not_sent(copied: Copied) -> None:
    await reply(copied)
    forged = b"Content-Type: text/plain\r\n\r\n" + WORDS.encode() + b"\r\n"
    await copied.house.database.run(lambda tx: tx.execute(tables.parcel.update().values(ciphertext=forged)))
    (mail,) = await copied.sent(Sink())
    assert is_link_only(mail)
    assert '"outcome":"damaged"' in (await copied.entries("parcel-destroyed"))[-1]


async def test_the_choice_is_on_the_page_of_notices_where_the_site_permits_it(copied: Copied) -> None:
    async with Browser(copied.house) as ines:
        await ines.sign_in(copied.story.ines)
        page = await ines.see("/account/notices")
        assert 'id="copies-yes" type="radio" name="copies" value="yes" checked' in page.text
        fields = {**hidden(page.text), "language": "en", "link": "yes", "confirm": "first", "time_zone": ""}
        answer = await ines.http.post("/account/notices", data={**fields, "copies": "no"})
        assert answer.status_code == 303
        page = await ines.see("/account/notices")
        assert 'id="copies-no" type="radio" name="copies" value="no" checked' in page.text
    await copied.choose(full=True)
