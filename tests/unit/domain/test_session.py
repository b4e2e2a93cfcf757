from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.errors import NotAuthenticated
from gateway.domain.session import FRESH_US, SessionStatement, session_id, verify_statement

KEY = Ed25519PrivateKey.generate()
NOW = 1_800_000_000_000_000
STATEMENT = SessionStatement("s" * 64, "p1", NOW, NOW + 10**10, 10**9, 2, ("c1", "c2"))


def test_a_genuine_fresh_statement_is_admitted() -> None:
    verify_statement(STATEMENT, KEY.sign(STATEMENT.signed_bytes()), KEY.public_key(), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"session_id": "t" * 64},
        {"person_id": "p2"},
        {"issued_us": NOW + 1},
        {"absolute_us": NOW + 10**11},
        {"idle_us": 10**10},
        {"assurance": 3},
        {"credential_ids": ("c1",)},
        {"credential_ids": ("c1,c2",)},
        {"credential_ids": ("c2", "c1")},
    ],
)
def test_a_statement_changed_in_any_field_is_refused(change: dict[str, Any]) -> None:
    signature = KEY.sign(STATEMENT.signed_bytes())
    with pytest.raises(NotAuthenticated, match="not genuine"):
        verify_statement(replace(STATEMENT, **change), signature, KEY.public_key(), NOW)


def test_another_keys_signature_is_refused() -> None:
    other = Ed25519PrivateKey.generate()
    for signature in (other.sign(STATEMENT.signed_bytes()), b"", bytes(64)):
        with pytest.raises(NotAuthenticated):
            verify_statement(STATEMENT, signature, KEY.public_key(), NOW)


@pytest.mark.parametrize("off", [-FRESH_US - 1, FRESH_US + 1])
def test_a_statement_is_good_for_a_minute_only(off: int) -> None:
    signature = KEY.sign(STATEMENT.signed_bytes())
    verify_statement(STATEMENT, signature, KEY.public_key(), NOW + (off // abs(off)) * FRESH_US)
    with pytest.raises(NotAuthenticated, match="too old"):
        verify_statement(STATEMENT, signature, KEY.public_key(), NOW + off)


def test_a_statement_that_has_ended_is_refused() -> None:
    ended = replace(STATEMENT, absolute_us=NOW)
    with pytest.raises(NotAuthenticated, match="ended"):
        verify_statement(ended, KEY.sign(ended.signed_bytes()), KEY.public_key(), NOW)


def test_a_statement_goes_over_the_wire_and_back() -> None:
    assert SessionStatement.from_json(json.loads(STATEMENT.to_json())) == STATEMENT


@pytest.mark.parametrize(
    "change",
    [
        {"session_id": 1},
        {"person_id": None},
        {"issued_us": "1"},
        {"absolute_us": 1.5},
        {"idle_us": True},
        {"assurance": []},
        {"credential_ids": "c1"},
        {"credential_ids": [1]},
    ],
)
def test_a_field_of_a_wrong_type_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(NotAuthenticated):
        SessionStatement.from_json({**json.loads(STATEMENT.to_json()), **change})


def test_a_missing_field_is_refused() -> None:
    whole = json.loads(STATEMENT.to_json())
    for name in whole:
        with pytest.raises(NotAuthenticated):
            SessionStatement.from_json({key: value for key, value in whole.items() if key != name})


def test_a_sessions_id_tells_nothing_of_its_token() -> None:
    token = bytes(range(32))
    assert session_id(token) == session_id(bytes(range(32)))
    assert session_id(token) != session_id(bytes(32))
    assert token.hex() not in session_id(token)
    assert len(session_id(token)) == 64
