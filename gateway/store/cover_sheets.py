"""Rows of cover sheets. What the reference on one stands for is a proposal, whoever faxed it: it gives no right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, or_, select

from gateway.domain.cover_sheet import reference_in
from gateway.store.tables import case, cover_sheet, enrolment

_SHEET: Final = (
    cover_sheet,
    case.c.reference.label("case_reference"),
    enrolment.c.reference.label("agreement_reference"),
)
_SHEETS: Final = (
    select(*_SHEET)
    .outerjoin(case, case.c.id == cover_sheet.c.case_id)
    .outerjoin(enrolment, enrolment.c.agreement_id == cover_sheet.c.agreement_id)
)


def case_of(connection: Connection, reference: str, at_us: int, programme: str = "") -> str | None:
    """Return the open case that a cover sheet stands for, None for what is no sheet of ours that held at this instant.

    With `programme` a sheet of another one stands for nothing.
    """
    wanted = (
        select(cover_sheet.c.case_id)
        .join(case, case.c.id == cover_sheet.c.case_id)
        .where(_held(reference, at_us, programme), case.c.closed_us.is_(None))
    )
    return connection.execute(wanted).scalar()


def agreement_of(connection: Connection, reference: str, at_us: int, programme: str = "") -> str | None:
    """Return the id of the agreement that a cover sheet stands for, None as `case_of` does."""
    wanted = select(cover_sheet.c.agreement_id).where(_held(reference, at_us, programme))
    return connection.execute(wanted).scalar()


def sheets(connection: Connection, *, known_as: str = "", all_of_them: bool = False, limit: int) -> Sequence[Row[Any]]:
    """Return the sheets that were made, newest first: of a case or an agreement, or one, by its reference.

    Those withdrawn are among them only where all are wanted.
    """
    named = known_as.strip().upper()
    wanted = _SHEETS.order_by(cover_sheet.c.made_us.desc(), cover_sheet.c.reference).limit(limit)
    if named:
        places = (case.c.reference, enrolment.c.reference, cover_sheet.c.reference)
        wanted = wanted.where(or_(*(place == named for place in places)))
    if not all_of_them:
        wanted = wanted.where(cover_sheet.c.withdrawn_us.is_(None))
    return connection.execute(wanted).all()


def made_since(connection: Connection, person_id: str, since_us: int) -> int:
    """Return how many sheets a person has made since an instant."""
    counted = select(func.count()).where(cover_sheet.c.made_by == person_id, cover_sheet.c.made_us > since_us)
    return int(connection.execute(counted).scalar_one())


def _held(reference: str, at_us: int, programme: str) -> Any:
    """Tell the row of a sheet that was good at an instant."""
    conditions = [
        cover_sheet.c.reference == reference_in(reference),
        cover_sheet.c.withdrawn_us.is_(None),
        cover_sheet.c.expires_us > at_us,
    ]
    if programme:
        conditions.append(cover_sheet.c.programme == programme)
    return and_(*conditions)
