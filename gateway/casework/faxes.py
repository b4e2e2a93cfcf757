"""The verbs that enter what a fax source brought: a fax into the intake tray, a repeat, a failure, what stays outside.

Each mail counts once, by a keyed hash of it: whoever brings it again, another gateway or the same one after a crash,
gets the first answer and nothing is written. A fax that comes in another mail is known by its pages, or its server's
number.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from gateway.casework.correspondence import REPEAT_WINDOW_US
from gateway.casework.deposit import header_digest
from gateway.casework.outside import Taking, take_in
from gateway.casework.sealed import SealedMessage
from gateway.domain.fax import KIND, Fax, Outcome
from gateway.domain.intake import SenderResult, Tray
from gateway.domain.record import Fact
from gateway.failpoints import failpoint
from gateway.mime.fax.profiles import GENERIC
from gateway.mime.structure import Structure
from gateway.store.fax import ARRIVAL, REFERENCE
from gateway.store.fax_reports import SealedReport, enter_report
from gateway.store.ids import new_id
from gateway.store.recognition import RecognitionKey
from gateway.store.tables import fax_arrival, fax_recognition, intake, repeat
from gateway.store.transaction import Lookup, Transaction

BY_FAX: Final = "fax"
"""What entries call the program that takes faxes."""

_UNMISTAKABLE: Final = 8  # characters of a server's number that is not given twice in a week
_DIGITS: Final = 10
_REPEAT: Final = Lookup(repeat.c.key, (repeat.c.at_us, repeat.c.reference, repeat.c.message_id))
_PUT_ASIDE: Final = Lookup(intake.c.message_id, (intake.c.discarded_us,))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that a source brought: by what it is known again, what the fax in it is, and when it came to the source.

    `reports` are those that its server is to have once it is entered.
    """

    source: str
    key: str
    fax: Fax | None = None
    identities: tuple[str, ...] = ()
    arrived_us: int | None = None
    reports: tuple[SealedReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a mail: the reference of its fax in the tray, "" where there is none; whether it was known.

    `message_id` is of a fax that is filed by this mail, and so can be recognised from it.
    """

    outcome: Outcome
    reference: str = ""
    known: bool = False
    message_id: str = ""


def fax_key(deposit_key: bytes) -> bytes:
    """Return the key by which mails of fax sources and their pages are known again: it opens nothing."""
    return hmac.digest(deposit_key, b"fax\x00", "sha256")


def mail_key(key: bytes, structure: Structure, octets: bytes) -> str:
    """Return the keyed hash of a mail, whatever trace fields it gained on its way."""
    body = sha256(memoryview(octets)[structure.body_offset :]).digest()
    return hmac.digest(key, b"mail\x00" + header_digest(structure) + body, "sha256").hex()


def place_key(key: bytes, source: str, validity: int, uid: int) -> str:
    """Return the keyed hash of a mail that is not read: of its place in its mailbox (RFC 3501 section 2.3.1.1)."""
    return hmac.digest(key, f"place\0{source}\0{validity}\0{uid}".encode(), "sha256").hex()


def identities_of(key: bytes, fax: Fax, pages: tuple[bytes, ...]) -> tuple[str, ...]:
    """Return the keyed hashes by which a fax is known in another mail.

    The same pages of the same caller are the same fax. So is the same number of the same server, if it is long enough
    never to be given again within days, with as many pages: what was cut off at first is another one when it is whole.
    What looks like a number in the mail of a system that nobody knows may be its telephone number, and counts for none.
    """
    return tuple(hmac.digest(key, told, "sha256").hex() for told in _identities(fax, pages))


def enter_fax(tx: Transaction, arrival: Arrival, sealed: SealedMessage, own: RecognitionKey) -> Entered:
    """Put a fax into the intake tray: message, item, entry. A repeat is entered as one; the fax is not kept twice."""
    known = _known(tx, arrival.key)
    if known is not None:
        return known
    repeated = enter_repeat(tx, arrival)
    if repeated is not None:
        return repeated
    fax = _fax_of(arrival)
    taken = take_in(
        tx,
        Taking(
            sealed=sealed, tray=Tray.CASES, kind=KIND, sender_result=SenderResult.NONE, proposal=None,
            message_id_hash=None, recipients=0, repeat_key=None, by=BY_FAX, facts=_facts(arrival.source, fax),
        ),
    )  # fmt: skip
    failpoint("fax.enter")
    _insert(tx, arrival, Outcome.FILED, taken.message_id)
    tx.insert(fax_recognition, **own.row())
    for one in arrival.identities:
        tx.execute(repeat.delete().where(repeat.c.key == one))
        tx.insert(repeat, key=one, message_id=taken.message_id, reference=taken.reference, at_us=tx.now_us)
    return Entered(Outcome.FILED, taken.reference, message_id=taken.message_id)


def enter_repeat(tx: Transaction, arrival: Arrival) -> Entered | None:
    """Enter that a fax has come once more, None where it has not come before, or where the first one was put aside:
    who is told so, and sends it again, is to find somebody who sees it.
    """
    known = _known(tx, arrival.key)
    if known is not None:
        return known
    for one in arrival.identities:
        row = tx.find(_REPEAT, one)
        if row is not None and int(row[0]) > tx.now_us - REPEAT_WINDOW_US and not _is_put_aside(tx, str(row[2])):
            _insert(tx, arrival, Outcome.REPEATED, str(row[2]))
            facts = _facts(arrival.source, _fax_of(arrival))
            tx.record("fax_repeated", BY_FAX, message=str(row[2]), reference=str(row[1]), **facts)
            return Entered(Outcome.REPEATED, str(row[1]))
    return None


def enter_failure(tx: Transaction, arrival: Arrival) -> Entered:
    """Enter that a fax server could not receive a fax. Nothing of its notice is kept."""
    known = _known(tx, arrival.key)
    if known is not None:
        return known
    _insert(tx, arrival, Outcome.FAILURE, None)
    fax = _fax_of(arrival)
    tx.record("fax_failed", BY_FAX, source=arrival.source, profile=fax.profile, told=fax.told_us)
    return Entered(Outcome.FAILURE)


def enter_left(tx: Transaction, arrival: Arrival, octets: int) -> Entered:
    """Enter that a mail is over the limit and stays where it is."""
    known = _known(tx, arrival.key)
    if known is not None:
        return known
    _insert(tx, arrival, Outcome.LEFT, None)
    tx.record("fax_left", BY_FAX, source=arrival.source, octets=octets)
    return Entered(Outcome.LEFT)


def _is_put_aside(tx: Transaction, message_id: str) -> bool:
    found = tx.find(_PUT_ASIDE, message_id)
    return found is not None and found[0] is not None


def _known(tx: Transaction, key: str) -> Entered | None:
    row = tx.find(ARRIVAL, key)
    if row is None:
        return None
    found = tx.find(REFERENCE, row[1]) if row[1] else None
    filed_as = str(row[1]) if row[0] == Outcome.FILED.value else ""
    return Entered(Outcome(row[0]), str(found[0]) if found else "", known=True, message_id=filed_as)


def _insert(tx: Transaction, arrival: Arrival, outcome: Outcome, message_id: str | None) -> None:
    fax = arrival.fax
    tx.insert(
        fax_arrival,
        id=new_id(),
        key=arrival.key,
        source=arrival.source,
        outcome=outcome.value,
        message_id=message_id,
        profile=fax.profile if fax else None,
        pages_claimed=fax.pages_claimed if fax else None,
        pages_counted=fax.pages_counted if fax else None,
        told_us=fax.told_us if fax else None,
        arrived_us=arrival.arrived_us,
        review=",".join(fax.review) if fax and outcome is Outcome.FILED else "",
        at_us=tx.now_us,
    )
    if outcome in (Outcome.FILED, Outcome.REPEATED):
        for one in arrival.reports:
            enter_report(tx, arrival.source, one)


def _facts(source: str, fax: Fax) -> Mapping[str, Fact]:
    return {
        "source": source, "profile": fax.profile, "told": fax.told_us, "claimed": fax.pages_claimed,
        "counted": fax.pages_counted, "review": [str(one) for one in fax.review],
    }  # fmt: skip


def _fax_of(arrival: Arrival) -> Fax:
    if arrival.fax is None:
        raise ValueError("what is entered as a fax was read as one")
    return arrival.fax


def _identities(fax: Fax, pages: tuple[bytes, ...]) -> Iterator[bytes]:
    digits = "".join(one for one in fax.calling if one.isdigit())[-_DIGITS:]
    caller = (digits or fax.station.casefold()).encode("utf-8")
    if pages:
        yield b"pages\x00" + caller + b"\x00" + b"".join(pages)
    if fax.profile != GENERIC.name and len(fax.job) >= _UNMISTAKABLE and fax.pages_counted:
        told = [fax.profile, fax.job, str(fax.pages_claimed), str(fax.pages_counted)]
        yield b"job\x00" + caller + b"\x00" + "\x00".join(told).encode("utf-8")
