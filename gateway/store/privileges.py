"""Which program may do what with which table: the same matrix as PostgreSQL GRANTs and as SQLite's seat belt.

On PostgreSQL each program signs in with a role of its own, and the server refuses the rest (`grants`). On SQLite the
program's own connections refuse it (`authorizer`): that holds against faults, not against code execution. A program
that is not named here has nothing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.store.tables import AUTHORITY

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]

_EVERYONE = {"site": "select", "alembic_version": "select"}
_STANDINGS = {
    "person": "select",
    "person_address": "select",
    "team": "select",
    "case_": "select",
    "agreement_case": "select",
    "assignment": "select",
    "absence": "select",
    "designated_user": "select",
    "enrolment": "select",
    "authorisation": "select",
    "team_member": "select",
    "role": "select",
    "sealing_key": "select",
}
_DEPOSIT = {
    "message": "select insert",
    "message_wrap": "insert",
    "segment": "select insert",
    "recipient": "select insert",
    "repeat": "select insert delete",
    "outbox": "insert",
    "leaf": "insert",
}

PROGRAMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "submission": {
            **_EVERYONE,
            **_STANDINGS,
            **_DEPOSIT,
            "delegation": "select",
            "succession": "select",
            "message": "select insert update(withdrawn_us,held_until_us)",
            "guard_wait": "select update(answer,answered_by,answered_us,remind_us)",
            "recipient": "select insert update(released_us,remind_us)",
            "outbox": "select(id,kind,message_id,lead_id,state,attempts,lease_until_us) insert "
            "update(state,lease_until_us,settled_us)",
            "confirmation": "insert",
            "draft": "select(reference) insert",
            "automatic_mail": "select insert update(count,last_us)",
            "notice_report": "select(outbox_id,kind) insert",
        },
        "mx": {
            **_EVERYONE,
            "case_": "select",
            "sealing_key": "select",
            "person": "select(id,programme,side,ended_us)",
            "person_address": "select(person_id,key,from_us,until_us)",
            "team": "select(id)",
            "message": "select(id,case_id,message_id_hash) insert",
            "message_wrap": "insert",
            "segment": "select(id) insert",
            "repeat": "select insert delete",
            "intake": "select(message_id,reference,message_id_hash) insert",
            "outbox": "select(id,message_id) insert",
            "notice_report": "select(outbox_id,kind) insert",
            "leaf": "insert",
        },
        "fax": {
            **_EVERYONE,
            "case_": "select(id,closed_us)",
            "cover_sheet": "select(reference,programme,case_id,agreement_id,expires_us,withdrawn_us)",
            "person": "select(id)",
            "team": "select(id)",
            "sealing_key": "select",
            "message": "select(id,received_us) insert",
            "message_wrap": "insert",
            "segment": "select(id) insert",
            "repeat": "select insert delete",
            "intake": "select(message_id,reference,filed_us,discarded_us,proposed_case_id) insert "
            "update(proposed_case_id,proposed_by)",
            "fax_arrival": "select insert",
            "fax_recognition": "select insert update(sealed,version,complete,sections,recognised_us,attempts,tried_us)",
            "fax_report": "insert",
            "leaf": "insert",
        },
        "portal": {
            **_EVERYONE,
            **_STANDINGS,
            **_DEPOSIT,
            "succession": "select",
            "message": "select insert update(withdrawn_us,held_until_us)",
            "guard_wait": "select update(answer,answered_by,answered_us,remind_us)",
            "recipient": "select insert update(released_us,remind_us)",
            "confirmation": "select(message_id) update(look_us)",
            "automatic_mail": "select",
            "draft": "select",
            "unopened": "insert",
            "agreement": "select",
            "appendix": "select",
            "approval": "select",
            "cover_sheet": "select insert",
            "form": "select",
            "form_document": "select",
            "fax_recognition": "select update(sealed,version,complete,sections,recognised_us)",
            "form_field": "select(form_id,key,value)",
            "intake": "select",
            "intake_act": "select",
            "intake_claim": "select",
            "intake_section": "select",
            "fax_arrival": "select",
            "meeting": "select",
            "session": "select",
            "session_use": "select",
            "credential": "select(id,person_id,kind,label,networks,created_us,expires_us,revoked_us)",
            "credential_use": "select",
            "agreed_terms": "select",
            "joining": "select",
            "parcel": "insert",
            "recipient_key": "select",
            "key_look": "select insert update(looked_us,revoked_us)",
            "outbox": "select(id,kind,person_id,case_id,message_id,lead_id,fields,state,attempts,due_us,created_us,"
            "settled_us,lease_until_us) insert update(state,due_us,lease_until_us,created_us,settled_us,lead_id)",
            "address_state": "select delete",
            "notice_report": "select delete",
            "leaf": "select(id,at_us,kind) insert",
        },
        "authenticator": {
            **_EVERYONE,
            "person": "select",
            "person_address": "select",
            "credential": "select",
            "credential_use": "select insert update",
            "session": "select",
            "session_use": "select",
            "joining": "select(designated_user_id,person_id,started_us) update(started_us)",
            "identity_session": "select insert",
            "identity_review": "select insert",
            "leaf": "insert",
        },
        "guard": {
            **_EVERYONE,
            "message": "select(id,octets,guard,received_us)",
            "segment": "select",
        },
        "notifier": {
            **_EVERYONE,
            **_STANDINGS,
            "credential": "select(id,person_id,kind,expires_us,revoked_us)",
            "message": "select(id,side,author_id,team_id,case_id,reference,received_us,withdrawn_us,held_until_us,"
            "guard) update(withdrawn_us,held_until_us,guard)",
            "succession": "select",
            "guard_wait": "select insert update(other_case_id,remind_us,reminded,answer,answered_by,answered_us)",
            "recipient": "select update(remind_us,reminded)",
            "confirmation": "select update(told,look_us)",
            "unopened": "select update(told,look_us)",
            "draft": "select update(person_id,look_us,reminded,discarded_us)",
            "intake": "select(message_id,tray,proposed_case_id,filed_us,discarded_us)",
            "pace": "select insert update",
            "parcel": "select delete",
            "recipient_key": "select",
            "key_look": "select",
            "told_ending": "select insert",
            "outbox": "select insert update",
            "address_state": "select insert update delete",
            "notice_report": "select insert update(case_id,applied_us)",
            "tls_outcome": "select insert update delete",
            "fax_report": "select update delete",
            "tls_report": "select insert update delete",
            "tls_verified": "select insert update",
            "mta_sts_policy": "select insert update",
            "leaf": "insert",
        },
        "keyholder": {
            **_EVERYONE,
            **dict.fromkeys(AUTHORITY, "select insert update"),
            "person": "select insert update",
            "person_address": "select insert update",
            "team": "select insert update",
            "case_": "select insert update",
            "agreement": "select insert update",
            "session_use": "select insert update",
            "credential_use": "select",
            "identity_review": "select update(decided_us,accepted)",
            "message": "select update(case_id,reference,author_id,held_until_us,guard)",
            "guard_wait": "select insert update(other_case_id,remind_us,answer,answered_by,answered_us)",
            "draft": "select update(person_id,look_us,chosen_us,discarded_us)",
            "message_wrap": "select insert delete",
            "recipient": "select insert update(first_read_us,remind_us,released_us) delete",
            "confirmation": "select(message_id) update(look_us)",
            "unopened": "select(message_id,opened_us) update(opened_us,look_us)",
            "intake": "select update(filed_us,discarded_us)",
            "intake_act": "select insert update(undone_us)",
            "intake_claim": "select insert update delete",
            "intake_section": "select insert update delete",
            "appendix": "select insert update",
            "cover_sheet": "select",
            "fax_arrival": "select",
            "form": "select insert",
            "form_field": "select insert delete",
            "form_document": "select insert delete",
            "meeting": "select insert update",
            "joining": "select insert update delete",
            "key_look": "select",
            "outbox": "select(id,kind,person_id,case_id,message_id,state,attempts) insert update(state,settled_us)",
            "address_state": "select delete",
            "leaf": "select insert update(position)",
        },
    }
)
"""By program and table: the statements it may use, with columns in parentheses where not all are meant."""


@dataclass(frozen=True, slots=True)
class Privilege:
    """One kind of statement on one table; `columns` empty means all of them."""

    verb: str
    table: str
    columns: tuple[str, ...] = ()


def privileges(program: str) -> list[Privilege]:
    """Return what a program may do. Raises KeyError for one that has no line."""
    return [
        Privilege(verb, table, tuple(columns.split(",")) if columns else ())
        for table, allowed in PROGRAMS[program].items()
        for verb, columns in re.findall(r"(\w+)(?:\((.*?)\))?", allowed)
    ]


def grants(program: str, role: str | None = None) -> list[str]:
    """Return the PostgreSQL statements that give a program's role exactly what it may do.

    `role` (default `gateway_PROGRAM`) must exist; run them as the owner of the tables, after every migration.
    """
    to = _quoted(role or f"gateway_{program}")
    statements = [f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {to}"]
    for privilege in privileges(program):
        columns = f" ({', '.join(map(_quoted, privilege.columns))})" if privilege.columns else ""
        statements.append(f"GRANT {privilege.verb.upper()}{columns} ON {_quoted(privilege.table)} TO {to}")
    return statements


def authorizer(program: str) -> Authorizer:
    """Return the callback by which SQLite asks, for each statement it compiles, whether a program may."""
    allowed = {(_CODES[one.verb], one.table): frozenset(one.columns) for one in privileges(program)}

    def decide(code: int, what: str | None, column: str | None, _database: str | None, trigger: str | None) -> int:
        if trigger is not None and trigger.startswith(_TRIGGERS):
            return sqlite3.SQLITE_OK
        if code in _HARMLESS or (code == sqlite3.SQLITE_PRAGMA and column is None) or _is_catalogue(code, what):
            return sqlite3.SQLITE_OK
        columns = allowed.get((code, what or ""))
        if columns is None:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if not columns or not column or column in columns else sqlite3.SQLITE_DENY

    return decide


_CODES = {
    "select": sqlite3.SQLITE_READ,
    "insert": sqlite3.SQLITE_INSERT,
    "update": sqlite3.SQLITE_UPDATE,
    "delete": sqlite3.SQLITE_DELETE,
}
_TRIGGERS = "rights_"
"""What the schema's own triggers do (revisions 0003, 0028) is not the program's doing, and none can make a trigger."""
_HARMLESS = frozenset(
    {
        sqlite3.SQLITE_SELECT,  # what it reads is asked column by column
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)


def _is_catalogue(code: int, what: str | None) -> bool:
    return code == sqlite3.SQLITE_READ and what in {"sqlite_master", "sqlite_schema"}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
