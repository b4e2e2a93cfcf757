"""Signed tokens of an identity provider: signature, kind and claims, each against what must stand there.

ID tokens by OpenID Connect Core 1.0 section 3.1.3.7, logout tokens by Back-Channel Logout 1.0 section 2.6, security
event tokens by RFC 8417, access tokens by RFC 9068, all under the advice of RFC 8725: an allow-list of algorithms, one
kind of key for each, and no token of one kind that passes for another. Nothing that a token names (`jku`, `x5u`, `jwk`)
is ever fetched or used.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from gateway.domain.errors import NotAuthenticated

ALGORITHMS: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC"}
MAX_TOKEN: Final = 32 * 1024
MAX_KEYS: Final = 50
LEEWAY_SECONDS: Final = 60
LATEST_SECONDS: Final = 600
"""A token that tells of something now was made no longer ago."""
LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LEAST_RSA_BITS = 2048
_KINDS: Final = {
    "id": frozenset({"", "jwt"}),
    "userinfo": frozenset({"", "jwt"}),
    "logout": frozenset({"", "jwt", "logout+jwt"}),
    "event": frozenset({"secevent+jwt"}),
    "access": frozenset({"at+jwt", "jwt", ""}),  # RFC 9068 section 2.1 has the first; large providers, the others
}

Key = jwk.RSAKey | jwk.ECKey
Claims = dict[str, Any]


class UnknownKey(Exception):
    """No key that is known has signed this token: the provider may have changed its keys."""


def wrong() -> NotAuthenticated:
    """Return the one answer to every token that is not good."""
    return NotAuthenticated("The sign-in could not be confirmed. Please begin again.")


def read_keys(document: Mapping[str, Any]) -> list[Key]:
    """Return the keys of a JWK set (RFC 7517) that may sign; those of other kinds or too short are passed over."""
    found: list[Key] = []
    listed = document.get("keys")
    for entry in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry:
            continue
        try:
            key = _key(entry)
            public = key.get_op_key("verify")
        except (KeyError, TypeError, ValueError, JoseError):
            continue
        if getattr(public, "key_size", 0) >= _least_bits(key):
            found.append(key)
    return found


def verified(token: str, keys: Sequence[Key], kind: str) -> Claims:
    """Return the claims of a token of a kind (a key of `_KINDS`) that one of the keys has signed.

    Raises NotAuthenticated, UnknownKey when no key fits its header.
    """
    if len(token) > MAX_TOKEN or token.count(".") != 2:
        raise wrong()
    try:
        header = jws.extract_compact(token.encode("ascii", "strict")).headers()
    except (JoseError, ValueError, KeyError, TypeError):
        raise wrong() from None
    algorithm, key_id, stated = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
        raise wrong()
    if not isinstance(stated, str) or stated.lower().removeprefix("application/") not in _KINDS[kind]:
        raise wrong()
    fitting = [key for key in keys if _fits(key, algorithm) and key_id in {None, key.kid}]
    if not fitting:
        raise UnknownKey
    for key in fitting:
        try:
            return jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError):
            continue
    raise wrong()


def check_id_token(claims: Claims, issuer: str, client_id: str, nonce: str, now: int) -> None:
    """Check an ID token that answers one request. Raises NotAuthenticated."""
    _check_issuer(claims, issuer, client_id)
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    authorized = claims.get("azp", client_id if len(audience) == 1 else None)
    offered = claims.get("nonce")
    if (
        authorized != client_id
        or not isinstance(offered, str)
        or not hmac.compare_digest(offered.encode(), nonce.encode())
        or not _text(claims, "sub")
        or "events" in claims
        or not _whole(claims, "exp") > now - LEEWAY_SECONDS
        or not now - LATEST_SECONDS <= _whole(claims, "iat") <= now + LEEWAY_SECONDS
        or not _whole(claims, "nbf", 0) <= now + LEEWAY_SECONDS
    ):
        raise wrong()


def check_access_token(claims: Claims, issuer: str, audience: str, scope: str, now: int) -> None:
    """Check an access token, or what a provider says of one: for this audience and scope. Raises NotAuthenticated."""
    _check_issuer(claims, issuer, audience)
    if (
        scope not in _scopes(claims)
        or not _text(claims, "sub")
        or "events" in claims
        or not _whole(claims, "exp") > now - LEEWAY_SECONDS
        or not _whole(claims, "iat", 0) <= now + LEEWAY_SECONDS
        or not _whole(claims, "nbf", 0) <= now + LEEWAY_SECONDS
    ):
        raise wrong()


def check_logout_token(claims: Claims, issuer: str, client_id: str, now: int) -> None:
    """Check a logout token. Raises NotAuthenticated."""
    _check_issuer(claims, issuer, client_id)
    events = claims.get("events")
    if (
        not isinstance(events, dict)
        or not isinstance(events.get(LOGOUT), dict)
        or "nonce" in claims
        or not (claims.get("sub") or claims.get("sid"))
        or not _text(claims, "jti")
        or not now - LATEST_SECONDS <= _whole(claims, "iat") <= now + LEEWAY_SECONDS
        or not _whole(claims, "exp", now) > now - LEEWAY_SECONDS
    ):
        raise wrong()


def check_event_token(claims: Claims, issuer: str, client_id: str, now: int) -> None:
    """Check a security event token; it may tell of what was some time ago. Raises NotAuthenticated."""
    _check_issuer(claims, issuer, client_id)
    events = claims.get("events")
    if (
        not isinstance(events, dict)
        or not events
        or "nonce" in claims
        or LOGOUT in events
        or not _text(claims, "jti")
        or not 0 < _whole(claims, "iat") <= now + LEEWAY_SECONDS
    ):
        raise wrong()


def _check_issuer(claims: Claims, issuer: str, client_id: str) -> None:
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer or client_id not in named:
        raise wrong()


def _scopes(claims: Claims) -> set[str]:
    """What a token is good for: `scope` (RFC 8693 section 4.2), or as some providers write it, `scp`."""
    found: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name, "")
        words = value if isinstance(value, list) else value.split() if isinstance(value, str) else ()
        found.update(word for word in words if isinstance(word, str))
    return found


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) and len(value) <= 255 else ""


def _whole(claims: Claims, name: str, absent: int | None = None) -> int:
    value = claims.get(name, absent)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong()
    return int(value)


def _fits(key: Key, algorithm: str) -> bool:
    if key.key_type != ALGORITHMS[algorithm] or key.get("alg") not in {None, algorithm}:
        return False
    return key.key_type != "EC" or key.get("crv") == {"ES256": "P-256", "ES384": "P-384"}[algorithm]


def _key(entry: dict[str, Any]) -> Key:
    """Return a public key. Raises ValueError for other kinds, and what the library raises."""
    if entry["kty"] == "RSA" and len(entry["n"]) >= _LEAST_RSA_BITS // 6:
        return jwk.RSAKey.import_key(entry)
    if entry["kty"] == "EC":
        return jwk.ECKey.import_key(entry)
    raise ValueError("another kind of key, or a short one")


def _least_bits(key: Key) -> int:
    return _LEAST_RSA_BITS if isinstance(key, jwk.RSAKey) else 256
