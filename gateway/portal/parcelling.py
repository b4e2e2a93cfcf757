"""Parcels of a reply, made while it is in the portal's hands: its octets are kept in memory beside the sealing, for
employees who chose a full copy, up to a size; then they are composed as one mail and encrypted to each one's key.

All of it has bounds: octets of one reply and of all that come in at once, threads, octets of ciphertext, and time. What
goes wrong costs the copy alone: the reply goes its way, and its employees are told by the link.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway import maillog
from gateway.casework.enclosing import Wanting
from gateway.clock import system_clock
from gateway.config import Settings
from gateway.domain.parcel import is_ciphertext
from gateway.domain.summary import Mailbox
from gateway.failpoints import failpoint
from gateway.mime.composing import Attachment, Fields, compose
from gateway.parcels.making import ParcelFailed, Signer, make
from gateway.parcels.site import signer_of
from gateway.store.parcels import Parcel

THREADS: Final = 2
SECONDS: Final = 20.0
"""How long a reply waits for its copies at most."""
ALL_OCTETS: Final = 4
"""So many replies of the most octets are held at once, all together."""
MOST_CIPHERTEXT: Final = 64 * 1024 * 1024
"""So many octets are stored with one reply at most."""


Refusing = Callable[[Sequence[Wanting]], Awaitable[Mapping[str, str]]]
"""Returns for whom of these no copy is made, by their id, each with a fixed reason."""


class NotCopied(StrEnum):
    """Why there is no copy, beside what making one says (`gateway.parcels.making.Reason`)."""

    TOO_LARGE = "too-large"
    BUSY = "busy"
    TOO_LATE = "too-late"
    FAULT = "fault"
    REVOKED = "revoked"
    NOT_LOOKED_UP = "not-looked-up"


@dataclass(frozen=True, slots=True)
class Copies:
    """What became of the copies: parcels, and for who has none a person's id and a fixed reason."""

    parcels: tuple[Parcel, ...] = ()
    uncopied: tuple[tuple[str, str], ...] = ()


class Room:
    """Octets that all replies may hold together; any thread."""

    def __init__(self, octets: int) -> None:
        self._left = octets
        self._lock = threading.Lock()

    def take(self, octets: int) -> bool:
        """Take so many, or tell that there are not as many left."""
        with self._lock:
            if octets > self._left:
                return False
            self._left -= octets
            return True

    def give_back(self, octets: int) -> None:
        """Give so many back."""
        with self._lock:
            self._left += octets


class Gathering:
    """The plain octets of one reply's files while they come in. Where they are too many it holds none any more."""

    def __init__(self, wanted: Sequence[Wanting], most: int, room: Room) -> None:
        self.wanted = tuple(wanted)
        self.failed: NotCopied | None = None
        self._most = most
        self._room = room
        self._octets = 0
        self._files: list[tuple[str, str, bytearray]] = []

    def begin_file(self, filename: str, media_type: str) -> None:
        """A file follows."""
        if self.failed is None:
            self._files.append((filename, media_type, bytearray()))

    def write(self, octets: bytes) -> None:
        """Take octets of the file that has begun."""
        if self.failed is None and self.hold(len(octets)):
            self._files[-1][2].extend(octets)

    def hold(self, octets: int) -> bool:
        """Count octets of the reply, of its text too; False where that is too much."""
        if self._octets + octets > self._most:
            self._give_up(NotCopied.TOO_LARGE)
        elif not self._room.take(octets):
            self._give_up(NotCopied.BUSY)
        else:
            self._octets += octets
            return True
        return False

    def attachments(self) -> list[Attachment]:
        """Return the files as parts of a mail."""
        return [_attachment(*one) for one in self._files]

    def close(self) -> None:
        """Hold nothing any more."""
        self._files = []
        self._room.give_back(self._octets)
        self._octets = 0

    def _give_up(self, reason: NotCopied) -> None:
        self.failed = reason
        self.close()


@dataclass(frozen=True, slots=True)
class Written:
    """A reply as a mail: who wrote it, to which case (by its address), when, on what, and the text."""

    author: str
    address: str
    reference: str
    at: datetime
    subject: str
    text: str


async def _nobody(_wanted: Sequence[Wanting]) -> Mapping[str, str]:
    return {}


class Parcelling:
    """Makes parcels. `permitted` are the programmes in which it is, `most` the octets of a reply's text and files;
    `refused` says of whom no copy is made, each with a fixed reason, as their certificate is revoked.
    """

    def __init__(
        self,
        permitted: frozenset[str],
        most: int,
        signer: Signer | None,
        refused: Refusing = _nobody,
        *,
        seconds: float = SECONDS,
        most_ciphertext: int = MOST_CIPHERTEXT,
    ) -> None:
        self.permitted = permitted
        self._most = most
        self._signer = signer
        self._refused = refused
        self._seconds = seconds
        self._most_ciphertext = most_ciphertext
        self._room = Room(ALL_OCTETS * most)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="parcels")

    def gathering(self, wanted: Sequence[Wanting]) -> Gathering | None:
        """Return what keeps a reply's octets; None where nobody is to have them."""
        return Gathering(wanted, self._most, self._room) if wanted else None

    async def copies(self, gathering: Gathering | None, written: Written) -> Copies:
        """Make a parcel for each who wants one, within a time. Raises nothing: without a copy there is a reason."""
        if gathering is None:
            return Copies()
        try:
            if gathering.failed is None:
                gathering.hold(len(written.text.encode("utf-8", "replace")))
            made = await self._made(gathering, written) if gathering.failed is None else {}
            copies = _sorted(gathering, made)
        except Exception as problem:  # noqa: BLE001 - a copy is never in the way of a reply
            maillog.incident("parcels", problem)
            copies = Copies((), tuple((one.person_id, NotCopied.FAULT.value) for one in gathering.wanted))
        finally:
            gathering.close()
        maillog.parcels_made(len(copies.parcels), len(copies.uncopied))
        failpoint("portal.parcels_made")
        return copies

    async def _made(self, gathering: Gathering, written: Written) -> dict[str, bytes | str]:
        """Return by person what was made, or why it was not; who is not named came too late."""
        loop = asyncio.get_running_loop()
        refused: Mapping[str, str] = {}
        under_way: dict[str, asyncio.Future[bytes | str]] = {}
        room = Room(self._most_ciphertext)
        try:
            async with asyncio.timeout(self._seconds):
                refused = await self._refused(gathering.wanted)
                wanted = [one for one in gathering.wanted if one.person_id not in refused]
                mail = await loop.run_in_executor(self._pool, _composed, written, gathering)
                for one in wanted:
                    making = loop.run_in_executor(self._pool, _encrypted, one, mail, self._signer, written.at, room)
                    under_way[one.person_id] = making
                if under_way:
                    await asyncio.wait(under_way.values())
        except TimeoutError:
            for making in under_way.values():
                making.cancel()
        over = {one: making for one, making in under_way.items() if making.done() and not making.cancelled()}
        return {**refused, **{one: making.result() for one, making in over.items()}}


def parcelling_of(settings: Settings, refused: Refusing = _nobody) -> Parcelling | None:
    """Return what makes full copies at a site, None where no programme permits any. Raises ConfigError for a key that
    cannot be used.
    """
    own = settings.full_copies
    if not own.programmes:
        return None
    signer = signer_of(settings, system_clock())
    return Parcelling(frozenset(own.programmes), own.max_octets, signer, refused)


def _sorted(gathering: Gathering, made: dict[str, bytes | str]) -> Copies:
    """Part what was made from what was not."""
    parcels: list[Parcel] = []
    uncopied: list[tuple[str, str]] = []
    for one in gathering.wanted:
        octets = made.get(one.person_id, (gathering.failed or NotCopied.TOO_LATE).value)
        if isinstance(octets, bytes):
            parcels.append(Parcel(one.person_id, one.key_id, one.key.fingerprint, one.key.address, octets))
        else:
            uncopied.append((one.person_id, octets))
    return Copies(tuple(parcels), tuple(uncopied))


def _composed(written: Written, gathering: Gathering) -> bytes:
    """Return the reply as a mail. Its head is for the tools that show what was encrypted; for others the text says it,
    too. The author's own address is not in it: an answer goes where the notice says, sealed.
    """
    fields = Fields(
        from_=Mailbox(written.author, written.address),
        to=(Mailbox("", written.address),),
        cc=(),
        date=written.at,
        subject=f"[{written.reference}] {written.subject}",
        message_id=f"<{secrets.token_hex(16)}@{written.address.rpartition('@')[2]}>",
    )
    text = f"From: {written.author}\nSubject: {fields.subject}\n\n{written.text}"
    boundary = f"=_{secrets.token_hex(16)}"
    return b"".join(compose(fields, text, gathering.attachments(), boundary=boundary, protected=True))


def _encrypted(wanted: Wanting, mail: bytes, signer: Signer | None, now: datetime, room: Room) -> bytes | str:
    """Return a parcel, or a fixed reason why there is none. Once there is no `room` for one it is not kept either."""
    try:
        entity = make(wanted.key, mail, signer, now=now)
    except ParcelFailed as problem:
        return problem.reason.value
    except Exception as problem:  # noqa: BLE001 - one key that fails must not stop the others
        maillog.incident("parcels", problem)
        return NotCopied.FAULT.value
    if not is_ciphertext(entity):
        return NotCopied.FAULT.value
    return entity if room.take(len(entity)) else NotCopied.TOO_LARGE.value


def _attachment(name: str, media_type: str, octets: bytearray) -> Attachment:
    """Return a file as a part of a mail; what is no leaf, or no type that mail knows, is octets."""
    try:
        return Attachment(name, media_type, [bytes(octets)])
    except ValueError:
        return Attachment(name, "application/octet-stream", [bytes(octets)])
