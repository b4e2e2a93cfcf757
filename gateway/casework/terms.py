"""The verb by which a person agrees to the terms of their programme. It runs inside the keyholder."""

from __future__ import annotations

from typing import Any

from gateway.casework.act import Act
from gateway.casework.joining import note_agreed
from gateway.domain.errors import Malformed
from gateway.domain.rights import Side
from gateway.store.tables import agreed_terms
from gateway.store.terms import agreed_versions


def agree_terms(act: Act, *, person: str, terms: str, language: str) -> dict[str, Any]:
    """Enter that a person agrees to the terms that they have seen: this version, in a language of the programme.

    Agreeing twice is agreeing once. Raises Malformed for a version that is not in force.
    """
    who = act.person(person, Side.CORRESPONDENT)
    rules = act.programme(who.programme)
    if terms != rules.terms_version or language not in rules.languages:
        raise Malformed("These are not the terms that are in force. Please read them again.")
    if terms not in agreed_versions(act.tx.connection, act.authority.key, who.id, rules.key):
        given = {"programme": rules.key, "terms": terms, "language": language, "agreed_us": act.tx.now_us}
        act.give(agreed_terms, person_id=who.id, **given)
        act.record("terms_agreed", person=who.id, terms=terms, language=language)
        note_agreed(act, who.id)
    return {"person": who.id, "terms": terms}
