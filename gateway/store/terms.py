"""Who has agreed to which version of a programme's terms, by signed rows."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from gateway.domain.programme import Programme
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.tables import agreed_terms

_OF = select(agreed_terms).where(
    agreed_terms.c.person_id == bindparam("person"), agreed_terms.c.programme == bindparam("programme")
)


def has_agreed(connection: Connection, authority: AuthorityKey, person_id: str, programme: Programme) -> bool:
    """Tell whether a person has agreed to the terms of a programme as they are now."""
    return programme.terms_version in agreed_versions(connection, authority, person_id, programme.key)


def agreed_versions(connection: Connection, authority: AuthorityKey, person_id: str, programme: str) -> set[str]:
    """Return the versions of a programme's terms that a person has agreed to."""
    rows = connection.execute(_OF, {"person": person_id, "programme": programme})
    return {row.terms for row in genuine(agreed_terms, rows, authority)}
