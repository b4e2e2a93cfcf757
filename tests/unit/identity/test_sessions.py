from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.session import session_id, verify_statement
from gateway.identity.sessions import MINUTE_US, SessionLimits, new_session


def test_a_new_session_names_its_token_and_verifies() -> None:
    key = Ed25519PrivateKey.generate()
    token, statement, signature = new_session(key, "erin", ("c1", "c2"), 2, 1_000, SessionLimits())
    assert statement.session_id == session_id(token)
    assert statement.absolute_us == 1_000 + 12 * 60 * MINUTE_US
    assert statement.credential_ids == ("c1", "c2")
    verify_statement(statement, signature, key.public_key(), 1_000)


def test_two_sessions_have_two_tokens() -> None:
    key = Ed25519PrivateKey.generate()
    assert len({new_session(key, "erin", ("c",), 2, 0, SessionLimits())[0] for _ in range(50)}) == 50


@pytest.mark.parametrize(("idle", "absolute"), [(0, 1), (2, 1), (1, 25 * 60 * MINUTE_US)])
def test_limits_that_make_no_sense_are_refused(idle: int, absolute: int) -> None:
    with pytest.raises(ValueError):
        SessionLimits(idle, absolute)
