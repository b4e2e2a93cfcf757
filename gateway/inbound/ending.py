"""Mail with the null sender on the employees' doors: it ends there, with a line on its case.

What it holds: the beginning of one mail, in memory, as long as it comes in. How it fails: the store away → `451`; more
of it than `MOST` in a minute by one sender → `451`, so that a flood waits where it comes from. Nothing of it is sealed,
and nothing is sent because of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from time import monotonic
from typing import Final

from gateway import maillog
from gateway.casework.automatic import Ending, case_addressed, employee_named, end
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed, RateExceeded
from gateway.domain.reply import SmtpReply
from gateway.domain.thread_address import ThreadAddresses
from gateway.inbound import replies
from gateway.inbound.listener.seam import RecipientParameters
from gateway.inbound.reports import MAX_OCTETS, Reports
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.scanner import Scanner
from gateway.mime.structure import Structure
from gateway.mime.summary import read_facts
from gateway.store.database import Database

MOST: Final = 300
MINUTE: Final = 60.0
OWN: Final = "submission"
"""What the log calls the door of those who sign in, where it names a relay."""
_MOST_NAMED: Final = 3
_SCANNED: Final = 128 * 1024


@dataclass(slots=True)
class Pace:
    """How much automatic mail came of late, by who brings it: a relay's name, or a person's id."""

    clock: Callable[[], float] = monotonic
    most: int = MOST
    _came: dict[str, deque[float]] = field(default_factory=dict)

    def take(self, by: str) -> None:
        """Count one. Raises RateExceeded where there were more in the last minute than are taken."""
        now = self.clock()
        for idle in [one for one, came in self._came.items() if came[-1] <= now - MINUTE]:
            del self._came[idle]
        came = self._came.setdefault(by, deque())
        while came and came[0] <= now - MINUTE:
            came.popleft()
        if len(came) >= self.most:
            raise RateExceeded("Too much automatic mail has come from you within a minute; try again later.")
        came.append(now)


@dataclass(frozen=True, slots=True)
class EndingDoor:
    """Ends automatic mail. `domain` is that of the cases' addresses; without `reports` none is read as a report."""

    database: Database
    domain: str
    threads: ThreadAddresses | None = field(default=None, repr=False)
    reports: Reports | None = None
    pace: Pace = field(default_factory=Pace, repr=False)

    def begin(self, by: str, relay: str, employee_id: str | None = None) -> EndedTransaction:
        """Take MAIL FROM:<> of a relay, or of an employee who has signed in. Raises RateExceeded."""
        self.pace.take(relay or by)
        return EndedTransaction(self, by, relay, employee_id)


@dataclass(slots=True)
class EndedTransaction:
    """Mail with the null sender: read for what it reports of a notification, and of the rest nothing is even sealed.

    `by` is who brought it, in the entry; `employee_id` who has signed in, else its header says who it is from.
    """

    way: EndingDoor
    by: str
    relay: str
    employee_id: str | None = None
    cases: set[str] = field(default_factory=set)
    recipients: list[Address] = field(default_factory=list)
    octets: BytesIO = field(default_factory=BytesIO, repr=False)

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO, whether or not the address is a case's. Raises NotAllowed for one elsewhere."""
        address = parse_address(recipient.address)
        case_id = await self.way.database.recall(case_addressed, self.way.domain, self.way.threads, address)
        self.cases.update((case_id,) if case_id else ())
        self.recipients.append(address)

    def start(self) -> None:
        """Nothing to begin."""

    def write(self, block: bytes) -> None:
        """Keep as much as a report is looked at."""
        self.octets.write(block[: max(MAX_OCTETS - self.octets.tell(), 0)])

    async def drain(self) -> None:
        """Nothing to wait for."""

    async def commit(self) -> SmtpReply:
        """Enter what it reports, else that it came."""
        mail = self.octets.getvalue()
        self.abandon()
        way = self.way
        label = self.relay or OWN
        if way.reports is not None and await way.reports.bring(mail, self.recipients, "", self.by, label):
            return replies.ENDED
        scanner = Scanner()
        scanner.feed(mail[:_SCANNED])
        structure = scanner.finish()
        kind = kind_of(structure) or AutomaticKind.NULL_SENDER
        employee = self.employee_id or await self._employee(structure)
        ending = Ending(kind, self.relay, tuple(sorted(self.cases)), len(self.recipients), employee)
        await way.database.run(end, self.by, ending)
        maillog.ended(kind, label, len(self.recipients))
        return replies.ENDED

    def abandon(self) -> None:
        """Forget it."""
        self.octets = BytesIO()

    async def _employee(self, structure: Structure) -> str | None:
        """Return the employee it says it is from: a relay vouches for envelope senders, and this has none."""
        named = []
        for box in read_facts(structure).from_[:_MOST_NAMED]:
            try:
                named.append(parse_address(box.address))
            except Malformed:
                continue
        now_us = to_microseconds(self.way.database.clock())
        return await self.way.database.recall(employee_named, named, now_us)
