"""What clerks list of enrolment: agreements, their users, papers, meetings, as rows of plain values. Nothing sealed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from gateway.domain.paper import missing_fields
from gateway.domain.programme import FormKind, Programme
from gateway.domain.rights import Span
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.tables import (
    agreement,
    agreement_case,
    appendix,
    approval,
    authorisation,
    case,
    designated_user,
    enrolment,
    form,
    form_document,
    form_field,
    intake,
    meeting,
    person,
)

Listed = dict[str, Any]
SEALED = "(sealed)"


class Enrolments:
    """Lists as they are at one instant. `authority` is what rows that give power are checked with."""

    def __init__(
        self, connection: Connection, authority: AuthorityKey, now_us: int, programmes: Mapping[str, Programme]
    ) -> None:
        self._connection = connection
        self._authority = authority
        self._now_us = now_us
        self._programmes = programmes

    def agreements(self, state: str | None = None) -> list[Listed]:
        """Return the agreements that came by a form, those moved last first: state, agent's cases, users' states."""
        wanted = () if state is None else (enrolment.c.state == state,)
        return [self.line(row) for row in self._states(*wanted)]

    def agreement(self, known_as: str) -> Listed | None:
        """Return everything of one agreement, given by its reference or id; what is sealed is only said to be there."""
        wanted = known_as.strip()
        named = or_(enrolment.c.reference == wanted.upper(), enrolment.c.agreement_id == wanted)
        row = next(iter(self._states(named)), None)
        if row is None:
            return None
        papers = self._rows(form, form.c.agreement_id == row.agreement_id)
        return {
            **self.line(row),
            "fields": self._fields(papers, row.programme),
            "missing": self._missing(papers, row.programme),
            "designated_users": self._users(row, papers),
            "documents": self._documents(papers),
            "waits_for_second_person": self._approvals(row.agreement_id),
        }

    def user(self, known_as: str) -> Listed | None:
        """Return one designated user given as `E-7K2Q-9F4T.2`, the second of an agreement, or by id."""
        wanted, (reference, _, number) = known_as.strip(), known_as.strip().partition(".")
        of_user = select(designated_user.c.agreement_id).where(designated_user.c.id == wanted).scalar_subquery()
        named = or_(enrolment.c.reference == reference.upper(), enrolment.c.agreement_id == of_user)
        for row in self._states(named):
            for one in self._users(row, self._rows(form, form.c.agreement_id == row.agreement_id)):
                if wanted == one["id"] or (reference.upper(), number) == (row.reference, str(one["number"])):
                    return {
                        **one,
                        "reference": row.reference,
                        "agreement": row.agreement_id,
                        "programme": row.programme,
                    }
        return None

    def line(self, row: Row[Any]) -> Listed:
        """Return one agreement as a list has it, from the genuine row of its state with its programme."""
        users = self._genuine(designated_user, designated_user.c.agreement_id == row.agreement_id)
        covers = self._genuine(agreement_case, agreement_case.c.agreement_id == row.agreement_id)
        names = self._references(one.case_id for one in covers)
        consent = self._rows(form, form.c.agreement_id == row.agreement_id, form.c.kind == FormKind.CONSENT.value)
        return {
            "reference": row.reference,
            "id": row.agreement_id,
            "programme": row.programme,
            "state": row.state,
            "step": row.step,
            "before": row.before,
            "version": row.version,
            "received": consent[0].received if consent else None,
            "moved_us": row.moved_us,
            "until_us": row.until_us,
            "cases": sorted(names[one.case_id] for one in covers if _span(one).holds(self._now_us)),
            "users": [str(one.state) for one in users],
        }

    def _states(self, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
        found = select(enrolment, agreement.c.programme).join(agreement, agreement.c.id == enrolment.c.agreement_id)
        rows = self._connection.execute(found.where(*conditions).order_by(enrolment.c.moved_us.desc()))
        return genuine(enrolment, rows, self._authority)

    def _approvals(self, agreement_id: str) -> list[Listed]:
        waiting = self._genuine(approval, approval.c.agreement_id == agreement_id, approval.c.until_us > self._now_us)
        names = {row.id: row.name for row in self._people([one.asked_by for one in waiting])}
        return [
            {
                "id": one.id,
                "verb": one.verb,
                "asked_by": one.asked_by,
                "asked_by_name": names.get(one.asked_by, one.asked_by),
                "until_us": one.until_us,
            }
            for one in waiting
        ]

    def _people(self, ids: Iterable[str | None]) -> Sequence[Any]:
        wanted = sorted({one for one in ids if one})
        return self._connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(wanted))).all()

    def _references(self, case_ids: Iterable[str]) -> dict[str, str]:
        return {one.id: one.reference for one in self._rows(case, case.c.id.in_(sorted(set(case_ids))))}

    def paper(self, form_id: str) -> Listed:
        """Return the fields of a paper by key; what is sealed is only said to be there."""
        kept = select(form_field.c.key, form_field.c.value).where(form_field.c.form_id == form_id)
        return {row.key: SEALED if row.value is None else row.value for row in self._connection.execute(kept)}

    def _fields(self, papers: Iterable[Row[Any]], programme: str) -> Listed:
        consent = [paper.id for paper in papers if paper.kind == FormKind.CONSENT.value]
        kept = select(form_field.c.key, form_field.c.value).where(form_field.c.form_id.in_(consent))
        rows = {one.key: one for one in self._connection.execute(kept)}
        known = self._programmes.get(programme)
        consents = next((one for one in known.forms if one.kind is FormKind.CONSENT), None) if known else None
        keys = [one.key for one in consents.fields] if consents else sorted(rows)
        return {key: SEALED if rows[key].value is None else rows[key].value for key in keys if key in rows}

    def _missing(self, papers: Iterable[Row[Any]], programme: str) -> list[str]:
        known = self._programmes.get(programme)
        consents = known.form(FormKind.CONSENT) if known else None
        return [] if consents is None else [
            one.key for one in missing_fields(consents.fields, self._fields(papers, programme))
        ]  # fmt: skip

    def _users(self, row: Row[Any], papers: Iterable[Row[Any]]) -> list[Listed]:
        users = self._genuine(designated_user, designated_user.c.agreement_id == row.agreement_id)
        said = {one.designated_user_id: one for one in self._rows(appendix)}
        people = {one.id: one for one in self._rows(person, person.c.id.in_([one.person_id for one in users]))}
        return [
            {
                "number": number,
                "id": one.id,
                "person": one.person_id,
                "username": people[one.person_id].username,
                "language": people[one.person_id].language,
                "name": said[one.id].name,
                "address": said[one.id].address,
                "telephone": said[one.id].telephone,
                "role": said[one.id].role,
                "state": one.state if _span(one).holds(self._now_us) else "ended",
                "step": one.step,
                "before": one.before,
                "moved_us": one.moved_us,
                "version": one.version,
                "needs": one.needs,
                "confirms_after_signing_in": bool(said[one.id].is_proposed),
                "meetings": self._meetings(one.id),
                "authorisations": self._authorisations(one.id, papers),
            }
            for number, one in enumerate(users, 1)
            if one.id in said
        ]

    def _meetings(self, user: str) -> list[Listed]:
        rows = self._rows(meeting, meeting.c.designated_user_id == user)
        names = {row.id: row.name for row in self._people(one.held_by for one in rows)}
        return [
            {
                "id": one.id,
                "starts_us": one.starts_us,
                "ends_us": one.ends_us,
                "link": one.link,
                "outcome": one.outcome or ("cancelled" if one.cancelled_us else "waits"),
                "held_by": one.held_by,
                "held_by_name": names.get(one.held_by, one.held_by),
                "document": one.document,
                "checks": json.loads(one.checks) if one.checks else [],
            }
            for one in rows
        ]

    def _authorisations(self, user: str, papers: Iterable[Row[Any]]) -> list[Listed]:
        received = {paper.id: paper.received for paper in papers}
        rows = self._genuine(authorisation, authorisation.c.designated_user_id == user)
        names = self._references(case_id for one in rows for case_id in one.cases.split())
        return [
            {
                "number": number,
                "id": one.id,
                "paper": one.form_id,
                "kind": one.kind,
                "right": one.right,
                "received": received.get(one.form_id),
                "cases": sorted(names[case_id] for case_id in one.cases.split()),
                "from_us": one.from_us,
                "until_us": one.until_us,
                "revoked_us": one.revoked_us,
                "specific_use": bool(one.specific_use),
            }
            for number, one in enumerate(rows, 1)
        ]

    def _documents(self, papers: Iterable[Row[Any]]) -> list[Listed]:
        kinds = {paper.id: paper.kind for paper in papers}
        users = {paper.id: paper.designated_user_id for paper in papers}
        rows = self._connection.execute(
            select(form_document.c.form_id, form_document.c.linked_us, intake.c.reference)
            .outerjoin(intake, intake.c.message_id == form_document.c.message_id)
            .where(form_document.c.form_id.in_(kinds))
            .order_by(form_document.c.linked_us)
        )
        return [
            {
                "item": row.reference,
                "shows": kinds[row.form_id],
                "designated_user": users[row.form_id],
                "paper": row.form_id,
                "linked_us": row.linked_us,
            }
            for row in rows
        ]

    def _genuine(self, table: Table, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
        return genuine(table, self._rows(table, *conditions), self._authority)

    def _rows(self, table: Table, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
        first = next(iter(table.primary_key))
        return list(self._connection.execute(select(table).where(*conditions).order_by(first)))


def _span(row: Row[Any]) -> Span:
    return Span(row.from_us, row.until_us)
