"""The verb that tells people that signing in by a password ends for them: who has not moved to a provider, in time.

Each is told once for each of a group's stages, the later stage alone where both have come. Who was given longer is told
by the end of that instead (`gateway.casework.endings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, exists, select

from gateway.domain.credential import CredentialKind
from gateway.domain.enrolment import DAY_US
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.programme import Programme
from gateway.domain.sunset import Sunset, Sunsets
from gateway.failpoints import failpoint
from gateway.store.outbox import put
from gateway.store.reminders import take_turns
from gateway.store.tables import credential, person, told_ending
from gateway.store.transaction import Transaction

AT_ONCE = 200


def tell_sunsets(tx: Transaction, programmes: Mapping[str, Programme], sunsets: Sunsets, at_once: int = AT_ONCE) -> int:
    """Tell up to `at_once` people of each group and stage, and return how many that were."""
    take_turns(tx)
    told = 0
    for programme in programmes.values():
        if NoticeKind.ACCESS_ENDING not in programme.notices:
            continue
        for sunset in sunsets.listed:
            ends_us = sunset.ends_us(programme.zone)
            for days in sorted(sunset.tell_days):
                if tx.now_us < ends_us <= tx.now_us + days * DAY_US:
                    told += _tell(tx, programme, sunset, ends_us, days, at_once)
    failpoint("sunsets.tell")
    return told


def _tell(tx: Transaction, programme: Programme, sunset: Sunset, ends_us: int, days: int, at_once: int) -> int:
    sides = [side for side in sorted(sunset.sides) if sunset.covers(side, programme.key)]
    rows: list[Row[Any]] = list(tx.all(_not_moved(programme.key, sides, ends_us, days, at_once))) if sides else []
    for row in rows:
        fields: dict[str, str | int] = {
            "until_us": ends_us - 1, "state": NoticeState.PASSWORD_ENDING.value, "count": 0
        }  # fmt: skip
        put(tx, programme=programme.key, kind=NoticeKind.ACCESS_ENDING, person_id=row.person_id, fields=fields)
        tx.insert(told_ending, row_id=row.id, until_us=ends_us, days=days, told_us=tx.now_us)
    tx.flush()
    return len(rows)


def _not_moved(programme: str, sides: list[str], ends_us: int, days: int, at_once: int) -> Any:
    """Return the statement that finds passwords of people who have nothing else, and were not told."""
    other = credential.alias("other")
    has_other = exists(other.c.id).where(
        other.c.person_id == person.c.id,
        other.c.kind.in_((CredentialKind.IDENTITY.value, CredentialKind.EXTENSION.value)),
        other.c.revoked_us.is_(None),
        other.c.expires_us.is_(None) | (other.c.expires_us > ends_us),
    )
    was_told = exists().where(
        told_ending.c.row_id == credential.c.id, told_ending.c.until_us == ends_us, told_ending.c.days <= days
    )
    return (
        select(credential.c.id, credential.c.person_id)
        .join(person, person.c.id == credential.c.person_id)
        .where(
            credential.c.kind == CredentialKind.PASSWORD.value,
            credential.c.revoked_us.is_(None),
            person.c.programme == programme,
            person.c.side.in_(sides),
            person.c.ended_us.is_(None),
            ~has_other,
            ~was_told,
        )
        .order_by(credential.c.id)
        .limit(at_once)
    )
