"""A notification says the same whatever the message says: real deposits, the real outbox, the real notifier and relay.

Each message is of its own: hostile names, subjects, texts, files. What is sent for it is compared octet by octet with
what was sent for the first of its kind to the same person, with ids, references and DKIM signatures taken out.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiosmtpd.smtp import Envelope
from sqlalchemy import update

from gateway.casework.correspondence import Posting, reply
from gateway.casework.deposit import ComposedDeposit
from gateway.domain.credential import Principal
from gateway.domain.errors import GatewayError
from gateway.domain.summary import Mailbox, Summary
from gateway.domain.timing import Timing
from gateway.inbound.asking import Asking
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.submission import SubmissionDoor
from gateway.outbound.courier import Courier
from gateway.outbound.making import Maker, Making, Thread
from gateway.outbound.notifier import Notifier, NotifierKeys, NotifierSite
from gateway.outbound.relay import Relay, RelayWay
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.cases import case_sealing_key
from gateway.store.confirmations import asked_key
from gateway.store.database import Database
from gateway.store.transaction import Transaction
from tests.notifying import NOON, PROGRAMMES, RENDERER, SIGNER, Time
from tests.relay import Certificate, Sink, relay
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled
from tests.tables import make_tables

RENAMED_EACH = 20
SEED = 6
PEER = Peer("127.0.0.1", 1, True, "tool", "starttls")
WORDS = (
    "{{ portal }}", "{% for x in y %}{{ x }}{% endfor %}", "${jndi:ldap://x}", "</p><script>alert(1)</script>",
    "&amp;<b>", "SSN 123-45-6789", "EIN 12-3456789", "Central Withholding Agreement", "Form 15410", "\u202egnp.exe",
    "\U0001d573ostile", "\u540d\u524d", "\xdcn\xefc\xf8d\xe9", "%0d%0aBcc: victim@elsewhere.example",
    "=?utf-8?q?=0D=0ABcc=3A_x=40y.example?=", "' OR 1=1 --", "A" * 200, "null\u2400", "https://evil.example/?t=1",
    "Passport X1234567", "--=_notice--", "\N{ZERO WIDTH SPACE}", "\N{RIGHT-TO-LEFT MARK}", "../../etc/passwd",
)  # fmt: skip
UNIQUE = re.compile(rb"(?im)^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*")


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where the machine has such a place: what is compared does not depend on the disk."""
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="same-", dir=memory if memory.is_dir() else None))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def hostile(dice: random.Random, most: int = 4) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(1, most)))


def encoded(dice: random.Random, words: str) -> str:
    """Words as a header may carry them: encoded words, or raw UTF-8."""
    if dice.random() < 0.3:
        return words.replace('"', "'")
    octets = words.encode()
    return "\r\n ".join(
        f"=?utf-8?b?{b64encode(octets[start : start + 42]).decode()}?=" for start in range(0, len(octets), 42)
    )


def mail_of(dice: random.Random, to: str) -> bytes:
    """A mail as an employee's tool might send it."""
    name = quote(hostile(dice, 2))[:200]
    boundary = f"b{dice.randrange(10**9)}"
    text = b64encode(hostile(dice, 20).encode()).decode()[:900]
    kind = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64"
    top = f"--{boundary}\r\n{kind}\r\n\r\n{text}\r\n"
    files = [
        f"--{boundary}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Disposition: attachment;\r\n filename*=utf-8''{name}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{b64encode(dice.randbytes(dice.randint(0, 600))).decode()}\r\n"
        for _ in range(dice.randint(0, 3))
    ]
    head = (
        f"From: {encoded(dice, hostile(dice, 1))} <dana@agency.example>\r\n"
        f"To: {encoded(dice, hostile(dice, 1))} <{to}>\r\n"
        f"Subject: {encoded(dice, hostile(dice))}\r\n"
        f"Message-ID: <{dice.randrange(10**12)}@{dice.randrange(99)}.example>\r\n"
        f"X-Note: {encoded(dice, hostile(dice))}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n"
    )
    return (head + top + "".join(files) + f"--{boundary}--\r\n").encode()


async def submitted(door: SubmissionDoor, site: Settled, octets: bytes, to: str) -> bool:
    """Hand in a mail as `dana`; tell whether the door took it."""
    envelope = MailParameters("dana@agency.example", None, "8BITMIME", False, None, None, None)
    try:
        transaction = await door.begin(PEER, Principal(site.people["dana"], "credential"), envelope)
        await transaction.add_recipient(RecipientParameters(to, frozenset({"SUCCESS"}), None))
        transaction.start()
        transaction.write(octets)
        await transaction.drain()
        return (await transaction.commit()).code == 250
    except GatewayError:
        return False


async def replied(dice: random.Random, site: Settled, blobs: BlobFolder) -> bool:
    """Answer in the portal as `ines`, with files of hostile names."""
    deposit = ComposedDeposit(blobs)
    deposit.begin_part("text/plain")
    deposit.write(hostile(dice, 30).encode())
    deposit.end_part()
    for _ in range(dice.randint(0, 3)):
        deposit.begin_part("application/pdf", hostile(dice, 2))
        deposit.write(dice.randbytes(dice.randint(0, 500)))
        deposit.end_part()
    author = Mailbox(hostile(dice, 1), "ines@tours.example")
    summary = Summary(hostile(dice), author, (), (), (), None, "", deposit.part_map(), (), "", "")
    key = await site.database.read(case_sealing_key, site.authority.key, site.tour["case"])
    posting = Posting(
        deposit.seal(summary, key, DEPOSIT_KEY),
        site.tour["case"],
        site.people["ines"],
        (),
        submission_key=f"{dice.randrange(16**32):032x}",
    )
    await site.database.run(reply, site.authority.key, posting)
    return True


def rename(tx: Transaction, people: dict[str, str], dice: random.Random) -> None:
    """Give everybody another name: a notification names no person."""
    for person in people.values():
        tx.execute(update(tables.person).where(tables.person.c.id == person).values(name=hostile(dice)))


def stripped(octets: bytes) -> bytes:
    """A notification without what may differ: its ids, its reference, its signature, and the ids of the thread."""
    bare = UNIQUE.sub(b"", octets)
    bare = re.sub(rb"notice\.[0-9a-f]{32}@", b"notice.ID@", bare)
    bare = re.sub(rb"(?m)^((?:In-Reply-To|References|Message-ID): )<[0-9]+@[0-9]+\.example>", rb"\1<OWN>", bare)
    bare = re.sub(rb"(?m)^(Reply-To: )t-[a-z0-9-]+@", rb"\1THREAD@", bare)
    return re.sub(rb"T-SM-([2-9A-Z]{4})-[2-9A-Z]{4}", rb"T-SM-\1-REF", bare)


def notifier_of(site: Settled, folder: Path, port: int, certificate: Certificate) -> Notifier:
    # Nobody is reminded: how many messages somebody owes a reading is a fact that a reminder tells.
    alone = Timing(merge_seconds=0, reminder_days=(), not_read_days=0, ending_days=())
    programmes = {key: replace(programme, timing=alone) for key, programme in PROGRAMMES.items()}
    way = RelayWay(Relay("127.0.0.1", port, "gateway.example", ca_file=certificate.path, deadline=20.0))
    return Notifier(
        site.database,
        programmes,
        Making(Thread(Maker(programmes, RENDERER, (SIGNER,)))),
        Courier(way, None),
        NotifierSite("https://gateway.example/", DOMAIN, "production", folder),
        NotifierKeys(site.authority.key, b"h" * 32, b"r" * 32),
        clock=Time(),
        jitter=lambda: 0.0,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_notification_is_the_same_whatever_the_message_says(folder: Path, tmp_path: Path) -> None:
    await compare(120, folder, tmp_path)


@pytest.mark.sweep
@pytest.mark.timeout(3600)
async def test_ten_thousand_notifications_are_the_same(folder: Path, tmp_path: Path) -> None:
    await compare(10_000, folder, tmp_path)


async def compare(messages: int, folder: Path, tmp_path: Path) -> None:
    """Deposit so many messages, send what there is to send for each, compare."""
    dice = random.Random(SEED)
    url = f"sqlite:///{folder}/gateway.db"
    make_tables(url)
    database = Database(url, clock=Time(NOON))
    site, blobs, sink, certificate = Settled(database), BlobFolder(folder / "blobs"), Sink(), Certificate(tmp_path)
    nobody: Any = None
    asking = Asking(asked_key(b"r" * 32), frozenset({"cwa"}))
    door = SubmissionDoor(database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None, asking=asking)
    first: dict[tuple[bytes, bytes], bytes] = {}
    taken = seen = 0
    try:
        async with relay(sink, certificate) as port:
            notifier = notifier_of(site, folder, port, certificate)
            for number in range(messages):
                if number % 2:
                    taken += await replied(dice, site, blobs)
                else:
                    to = site.address(site.tour)
                    taken += await submitted(door, site, mail_of(dice, to), to)
                if number % RENAMED_EACH == 0:
                    await database.run(rename, site.people, dice)
                # Sent one by one: how many wait together is a fact that a notice may tell.
                await notifier.send_due()
                seen += compared(sink.mail, first)
                sink.mail.clear()
    finally:
        database.close()
    assert taken > messages * 0.95  # else the messages are not what a door would take, and show nothing
    # To the case: two people of the other side are told, and the author. An answer: two of the team, and its author.
    assert {kind for kind, _ in first} == {
        b"A message is waiting for you", b"A reply has arrived", b"Your submission was successful",
        b"Your message was filed", b"Delivery report",
    }  # fmt: skip
    assert seen >= taken * 2


def compared(mails: list[Envelope], first: dict[tuple[bytes, bytes], bytes]) -> int:
    for envelope in mails:
        octets = envelope.content
        assert isinstance(octets, bytes)
        subject, to = (re.search(rb"(?m)^" + name + rb": (.*)\r$", octets) for name in (b"Subject", b"To"))
        assert subject is not None
        assert to is not None
        bare = stripped(octets)
        before = first.setdefault((subject[1], to[1]), bare)
        assert before == bare
    return len(mails)
