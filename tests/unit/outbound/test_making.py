"""Mails are made in lots, each answered for itself; an order crosses to another process whole."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields, replace
from datetime import UTC, datetime

from gateway.domain.address import Address, parse_address
from gateway.domain.errors import Unavailable
from gateway.domain.notice import Notice, NoticeKind, NoticeState
from gateway.domain.reference import Reference
from gateway.outbound.making import AT_ONCE, Making, NotMade, Order, Thread
from gateway.outbound.notification import Draft
from gateway.outbound.report import Report
from gateway.outbound.workshop import packed, unpacked, workshop
from tests.notifying import MAKER, RENDERER
from tests.unit.domain.test_parcel import PARCEL

PLAIN = Notice(NoticeKind.MESSAGE_WAITING, "en", None, None, datetime(2026, 3, 1, tzinfo=UTC), "production")
FULL = Notice(
    NoticeKind.DELIVERY_FAILED, "es", Reference("SM", "7K2Q", "9F4T", trial=True), "https://gateway.example/",
    datetime(2026, 3, 1, 15, 4, 5, 678_901, tzinfo=UTC), "try-out", 3, NoticeState.GAVE_UP,
    datetime(2026, 4, 1, tzinfo=UTC), "R-4F7K-3M9P", ("itin",), "Europe/London", is_sample=True, reads=2,
)  # fmt: skip


def draft(notice: Notice = PLAIN, number: int = 0) -> Draft:
    return Draft(notice, parse_address("ann@agent.example"), f"0123456789abcde{number}")


def test_every_field_of_an_order_crosses_to_another_process() -> None:
    report = Report("delivery-status", ("Reporting-MTA: dns; gateway.example",), "<one@agency.example>")
    more = {"reply_to": Address("sm-7k2q", "gateway.example"), "thread": "<one@agency.example>", "report": report}
    order = (replace(draft(FULL), **more), "cwa")
    same = [one.name for one in fields(Notice) if getattr(FULL, one.name) == getattr(PLAIN, one.name)]
    assert same == [], "the fuller notice differs in each field, so that none can be forgotten"
    assert unpacked(json.loads(json.dumps(packed(*order)))) == order
    assert unpacked(json.loads(json.dumps(packed(draft(), "cwa")))) == (draft(), "cwa")


async def test_parcels_cross_to_another_process_unread_and_in_their_places() -> None:
    copy = replace(draft(replace(FULL, kind=NoticeKind.REPLY_RECEIVED, is_sample=False)), parcel=PARCEL)
    orders = [draft(), copy, draft(number=1), replace(copy, parcel=b"no parcel"), copy]
    with workshop(MAKER, 1) as processes:
        making = Making(processes)
        mails = await asyncio.gather(*(making.made(one, "cwa") for one in orders), return_exceptions=True)
        await making.close()
    assert [isinstance(mail, bytes) and PARCEL in mail for mail in mails] == [False, True, False, False, True]
    assert isinstance(mails[3], NotMade)


async def test_each_order_of_many_lots_gets_its_own_mail() -> None:
    making = Making(Thread(MAKER))
    orders = [draft(number=number) for number in range(10)] * (AT_ONCE // 3)
    mails = await asyncio.gather(*(making.made(one, "cwa") for one in orders))
    assert all(f"<notice.{one.outbox_id}@".encode() in mail for one, mail in zip(orders, mails, strict=True))
    await making.close()


async def test_one_that_cannot_be_made_stops_no_other() -> None:
    making = Making(Thread(MAKER))
    wanted = (making.made(draft(), "cwa"), making.made(draft(), "no such programme"), making.made(draft(), "cwa"))
    first, second, third = await asyncio.gather(*wanted, return_exceptions=True)
    assert first == third
    assert isinstance(first, bytes)
    assert first.endswith(RENDERER.render(draft(), MAKER.programmes["cwa"]))
    assert isinstance(second, NotMade)
    assert len(second.incident) == 8
    await making.close()


class Closed:
    """A workshop that has ended."""

    lots = 1

    async def make_all(self, orders: list[Order]) -> list[bytes]:
        raise Unavailable("It has ended.")

    def require_life(self) -> None:
        raise Unavailable("It has ended.")

    async def close(self) -> None:
        pass


async def test_a_workshop_that_has_ended_is_told_to_everyone_who_waits() -> None:
    making = Making(Closed())  # type: ignore[arg-type]
    results = await asyncio.gather(*(making.made(draft(), "cwa") for _ in range(40)), return_exceptions=True)
    assert len(results) == 40
    assert all(isinstance(one, Unavailable) for one in results)
