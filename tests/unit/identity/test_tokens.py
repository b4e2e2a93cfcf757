"""Which keys count, and that no token of one kind passes for another. Forged tokens as a whole: tests/peers."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwk, jwt

from gateway.domain.errors import NotAuthenticated
from gateway.identity import tokens

RSA = jwk.RSAKey.generate_key(2048, parameters={"kid": "rsa", "use": "sig"})
P256 = jwk.ECKey.generate_key("P-256", parameters={"kid": "p256"})
P384 = jwk.ECKey.generate_key("P-384", parameters={"kid": "p384"})
PUBLISHED = [key.as_dict(private=False) for key in (RSA, P256, P384)]
KEYS = tokens.read_keys({"keys": PUBLISHED})
NOW = 1_800_000_000


def signed(key: Any, algorithm: str, typ: str | None = None, **claims: Any) -> str:
    header = {"alg": algorithm, "kid": key.kid, **({"typ": typ} if typ else {})}
    return jwt.encode(header, claims, key, algorithms=[algorithm], default_type=None)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (P256, "ES256"), (P384, "ES384")])
def test_every_algorithm_of_the_list_is_taken(key: Any, algorithm: str) -> None:
    assert tokens.verified(signed(key, algorithm, sub="a"), KEYS, "id") == {"sub": "a"}


def test_other_algorithms_are_not() -> None:
    with pytest.raises(NotAuthenticated):
        tokens.verified(signed(RSA, "RS512", sub="a"), KEYS, "id")


def test_a_key_that_says_one_algorithm_is_used_for_no_other() -> None:
    only = tokens.read_keys({"keys": [{**PUBLISHED[0], "alg": "PS256"}]})
    with pytest.raises(tokens.UnknownKey):
        tokens.verified(signed(RSA, "RS256", sub="a"), only, "id")


def test_keys_that_are_short_private_for_encryption_or_of_another_kind_are_passed_over() -> None:
    listed = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {**PUBLISHED[0], "use": "enc"},
        RSA.as_dict(private=True),
        {**PUBLISHED[0], "n": PUBLISHED[0]["n"][:170]},
        {"kty": "RSA", "n": "x"},
        "text",
    ]
    assert tokens.read_keys({"keys": listed}) == []
    assert tokens.read_keys({"keys": "text"}) == []


def test_an_unknown_key_is_told_apart_so_that_new_ones_are_fetched() -> None:
    stranger = jwk.RSAKey.generate_key(2048, parameters={"kid": "new"})
    with pytest.raises(tokens.UnknownKey):
        tokens.verified(signed(stranger, "RS256", sub="a"), KEYS, "id")


@pytest.mark.parametrize(
    ("typ", "kinds"),
    [
        (None, {"id", "userinfo", "logout"}),
        ("JWT", {"id", "userinfo", "logout"}),
        ("logout+jwt", {"logout"}),
        ("secevent+jwt", {"event"}),
        ("application/secevent+jwt", {"event"}),
        ("at+jwt", set()),
    ],
)
def test_no_kind_of_token_passes_for_another(typ: str | None, kinds: set[str]) -> None:
    token = signed(RSA, "RS256", typ, sub="a")
    for kind in ("id", "userinfo", "logout", "event"):
        if kind in kinds:
            assert tokens.verified(token, KEYS, kind)
        else:
            with pytest.raises(NotAuthenticated):
                tokens.verified(token, KEYS, kind)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "é.b.c", "x" * 40_000, "e30.e30.", "....", "W10.e30.x"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises((NotAuthenticated, tokens.UnknownKey)):
        tokens.verified(token, KEYS, "id")


def test_an_event_token_may_tell_of_what_was_long_ago_and_a_logout_token_may_not() -> None:
    event = {"iss": "i", "aud": ["c"], "iat": NOW - 86_400, "jti": "j", "events": {"x": {}}}
    tokens.check_event_token(event, "i", "c", NOW)
    with pytest.raises(NotAuthenticated):
        tokens.check_logout_token({**event, "sub": "s", "events": {tokens.LOGOUT: {}}}, "i", "c", NOW)
