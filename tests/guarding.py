"""A keyed site whose messages the wrong client guard looks at: papers with numbers, messages as the door takes them.

As a program it is keyholder and guard together, until all is looked at: `python -m tests.guarding FOLDER URL`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from sqlalchemy import select

from gateway.casework.correspondence import Posting, Served, post
from gateway.casework.deposit import ReceivedDeposit, seal_received
from gateway.domain.clock import from_microseconds
from gateway.domain.summary import Mailbox, Summary
from gateway.guard.looking import Guard
from gateway.screening.numbers_template import COMMAND, POLICY
from gateway.screening.pool import Pool, Sizes
from gateway.screening.protocol import Orders
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.cases import case_sealing_key
from gateway.store.ids import new_id
from tests.keyed_site import KeyedSite
from tests.papers import CONSENT

OWN, OTHER, STRANGE = "536-22-1188", "667-11-3456", "219-09-9998"
"""Numbers of the message's case, of another case of its author, and of a case that is not theirs."""


def letter(text: str, *files: tuple[str, str, bytes]) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"], mail["Subject"] = "erin@agency.example", "case@secure.agency.example", "Your request"
    mail.set_content(text)
    for name, media_type, octets in files:
        mail.add_attachment(octets, *media_type.split("/"), filename=name)
    return mail.as_bytes()


class GuardedSite:
    """`erin` writes to `case`, has `other` as well; `strange` is a colleague's. Each has an agreement with a number."""

    def __init__(self, site: KeyedSite, folder: Path) -> None:
        self.site = site
        self.blobs = BlobFolder(folder / "blobs")
        self.cases: dict[str, str] = {}
        self.erin = self.frank = self.cora = ""

    async def settle(self) -> None:
        site = self.site
        self.erin, self.frank = await site.employee("erin"), await site.employee("frank")
        for name, person, number in (
            ("case", self.erin, OWN),
            ("other", self.erin, OTHER),
            ("strange", self.frank, STRANGE),
        ):
            self.cases[name] = await site.case(person)
            day = from_microseconds(site.clock.now_us).astimezone(site.programmes["cwa"].zone).date().isoformat()
            fields = {**CONSENT, "agent-tin": number}
            made = {"programme": "cwa", "received": day, "cases": [self.cases[name]], "fields": fields}
            await site.operator.enact("open_agreement", **made)
        self.cora = (await site.correspondent(self.cases["case"]))["person"]

    async def post(self, octets: bytes, *, delay_us: int = 0, to: tuple[str, ...] = ()) -> str:
        """Deposit a message of erin's as the submission door does; return its id."""
        database = self.site.database
        key = await database.read(case_sealing_key, self.site.authority, self.cases["case"])
        deposit = ReceivedDeposit(self.blobs)
        deposit.write(octets)
        deposit.structure()
        received = deposit.finish()
        part_map = received.structure.part_map
        summary = Summary(
            subject="Your request", author=Mailbox("Erin", "erin@agency.example"), to=(), cc=(), bcc=(), date_us=None,
            message_id="<one@agency.example>", part_map=part_map, notes=part_map.notes, salt="", digest="",
        )  # fmt: skip
        sealed = seal_received(received, summary, key, b"d" * 32, new_id())
        served = tuple(Served(one, "to") for one in to or (self.cora,))
        posting = Posting(sealed, self.cases["case"], self.erin, served, is_guarded=True, delay_us=delay_us)
        await database.run(post, self.site.authority, posting)
        return sealed.id

    def guard(self, pool: Pool, largest: int = 1 << 20, wake: Callable[[], None] = lambda: None) -> Guard:
        return Guard(self.site.database, self.blobs, self.site.guard, pool, largest, wake)

    async def state(self, message_id: str) -> str | None:
        wanted = select(tables.message.c.guard).where(tables.message.c.id == message_id)
        return await self.site.database.read(lambda connection: connection.execute(wanted).scalar_one())


@asynccontextmanager
async def numbers_pool() -> AsyncIterator[Pool]:
    pool = Pool(Orders(POLICY), Sizes(2, 1), command=COMMAND)
    try:
        await pool.start()
        yield pool
    finally:
        await pool.close()


async def _serve(folder: Path, url: str) -> None:
    site = KeyedSite(folder, url)
    async with site.running(), numbers_pool() as pool:
        assert await GuardedSite(site, folder).guard(pool).look_at_all()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
