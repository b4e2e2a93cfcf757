"""Papers: what a form says, field by field, in clear or sealed to the agreement's key, found again by a blind index.

Run by the keyholder's verbs; nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, select

from gateway.casework.act import Act
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.errors import Malformed, Moved, Tampered
from gateway.domain.paper import FormField, check_value, missing_fields, searchable
from gateway.domain.programme import Form, FormKind, Programme
from gateway.store import tables
from gateway.store.authority import genuine
from gateway.store.ids import new_id
from gateway.store.sealing import SealingKey, new_key, seal_box

MAX_FIELDS = 60


def form_of(programme: Programme, kind: str) -> Form:
    """Return the programme's form of a kind. Raises Malformed when it has none."""
    found = next((form for form in programme.forms if form.kind.value == kind), None)
    if found is None:
        raise Malformed(f"This programme has no form of the kind {kind}.")
    return found


def write_paper(
    act: Act,
    programme: Programme,
    form: Form,
    agreement_id: str,
    fields: Mapping[str, str],
    received: date,
    designated_user_id: str | None = None,
    key: str | None = None,
) -> str:
    """Write a paper that has come, whatever of its fields is there; return its id: `key` where there is one.

    Raises Malformed for a bad field.
    """
    form_id = key or new_id()
    act.tx.insert(
        tables.form,
        id=form_id,
        agreement_id=agreement_id,
        designated_user_id=designated_user_id,
        kind=form.kind.value,
        received=received.isoformat(),
        created_us=act.tx.now_us,
    )
    write_fields(act, programme, form, agreement_id, form_id, fields)
    return form_id


def write_fields(
    act: Act, programme: Programme, form: Form, agreement_id: str, form_id: str, fields: Mapping[str, str]
) -> None:
    """Write fields of a paper, in the place of what stood there. An empty value takes a field away."""
    if len(fields) > MAX_FIELDS:
        raise Malformed(f"A form has at most {MAX_FIELDS} fields.")
    for key, text in fields.items():
        field = form.field(key)
        if field is None or field.is_of_appendix:
            raise Malformed(f"{form.title} has no field {key}.")
        known = (tables.form_field.c.form_id == form_id) & (tables.form_field.c.key == key)
        act.tx.execute(tables.form_field.delete().where(known))
        if text.strip():
            value = check_value(field, text, today(act, programme))
            act.tx.insert(
                tables.form_field,
                form_id=form_id,
                key=key,
                **_kept(act, programme, field, agreement_id, form_id, value),
            )


def require_unchanged(act: Act, form_id: str, before: Mapping[str, str]) -> None:
    """Raise Moved where a field that is not sealed has another value than it had when it was looked at."""
    table = tables.form_field
    stored = act.tx.all(select(table.c.key, table.c.value).where(table.c.form_id == form_id, table.c.sealed.is_(None)))
    now = {row.key: row.value for row in stored}
    if changed := sorted(key for key, value in before.items() if now.get(key, "") != value):
        raise Moved(f"Somebody has written these fields since you looked: {', '.join(changed)}.")


def consent_of(act: Act, agreement_id: str) -> Row[Any]:
    """Return the row of an agreement's consent form."""
    table = tables.form
    row = act.tx.one(select(table).where(table.c.agreement_id == agreement_id, table.c.kind == FormKind.CONSENT.value))
    if row is None:
        raise Malformed("This agreement came without a form.")
    return row


def missing_of(act: Act, form: Form, form_id: str) -> list[FormField]:
    """Return the fields that a paper lacks."""
    keys = act.tx.all(select(tables.form_field.c.key).where(tables.form_field.c.form_id == form_id))
    return missing_fields(form.fields, [row.key for row in keys])


def today(act: Act, programme: Programme) -> date:
    """Return the day it is in the programme's zone."""
    return from_microseconds(act.tx.now_us).astimezone(programme.zone).date()


def end_of_day(programme: Programme, day: date) -> int:
    """Return the first microsecond after a day of the programme's zone."""
    return to_microseconds(datetime.combine(day + timedelta(days=1), time(), programme.zone))


def field_context(form_id: str, key: str) -> str:
    """Return what a sealed field is bound to, and its key."""
    return f"{form_id}.{key}"


def _kept(
    act: Act, programme: Programme, field: FormField, agreement_id: str, form_id: str, value: str
) -> dict[str, Any]:
    if not field.sealed:
        return {"value": value}
    public, key, context = _sealing_key(act, agreement_id), new_key(), field_context(form_id, field.key)
    return {
        "sealed": seal_box(key, value.encode(), f"form field {context}"),
        "wrapped": public.wrap(key, context),
        "key_id": public.id,
        "suite": public.suite,
        "blind": act.authority.blind(programme.key, searchable(value)),
    }


def _sealing_key(act: Act, agreement_id: str) -> SealingKey:
    table = tables.sealing_key
    rows = act.tx.all(select(table).where(table.c.agreement_id == agreement_id, table.c.retired_us.is_(None)))
    for row in genuine(table, rows, act.authority.key):
        return SealingKey(row.id, row.suite, bytes(row.public))
    raise Tampered("The agreement's key is not genuine.")
