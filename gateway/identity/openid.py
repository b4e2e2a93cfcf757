"""Our side of OpenID Connect: the code flow with PKCE (RFC 7636), from the request to the identity that it proves.

A relying party for one provider. It finds the provider's endpoints and keys by discovery, keeps them for a while, and
asks for new keys when a token names one it does not know, at most once a minute. The browser only carries: `state` ties
its answer to the request, `iss` (RFC 9207) and an address of return for each provider keep providers apart, the code is
worth nothing without the verifier, and the ID token must carry this request's nonce.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from gateway.domain.assurance import Assurance
from gateway.domain.credential import discovery_address
from gateway.domain.errors import ConfigError
from gateway.identity import tokens
from gateway.identity.outward import Outward, ProviderAway, ProviderRefuses, Reply
from gateway.identity.providers import Provider

KEPT_SECONDS: Final = 3600.0
REFETCH_SECONDS: Final = 60.0
AWAY_SECONDS: Final = 5.0
ASSERTION_SECONDS: Final = 240
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ISS_SUPPORTED = "authorization_response_iss_parameter_supported"


class Declined(Exception):
    """The person, or the provider for them, said no: they went back, or did not consent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one sign-in at a provider is known by, made before it begins and kept from everybody but its browser."""

    provider: str
    state: str
    nonce: str
    verifier: str
    began_us: int
    first_code_id: str = ""
    link_to: str = ""

    @classmethod
    def begin(cls, provider: str, now_us: int, first_code_id: str = "", link_to: str = "") -> Attempt:
        """Return a fresh one: 256 random bits for each of state, nonce, verifier. The account becomes `link_to`'s."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(provider, state, nonce, verifier, now_us, first_code_id, link_to)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is: its subject, addresses that it has confirmed, how sure, and its own session."""

    issuer: str
    subject: str
    addresses: tuple[str, ...]
    assurance: Assurance
    session: str


class RelyingParty:
    """Our side of one provider. Raises ConfigError when the private key it signs with is none."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._outward = Outward(provider)
        self._documents: dict[str, tuple[float, dict[str, Any]]] = {}
        self._away_until = 0.0
        self._lock = asyncio.Lock()
        self._signs = signing_key(provider) if provider.client_authentication == "private_key_jwt" else None

    async def address(self, attempt: Attempt) -> str:
        """Return where the browser goes. Raises ProviderAway."""
        endpoint = await self._endpoint("authorization_endpoint")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.provider.return_to,
            "scope": " ".join(self.provider.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "acr_values": " ".join(self.provider.acr_values),
            "prompt": self.provider.prompt,
        }
        return _with(endpoint, {name: value for name, value in asked.items() if value})

    async def identity(self, attempt: Attempt, answer: Mapping[str, str], now: int) -> Identity:
        """Return who the provider says came back. `answer` is what the browser brought; `now` in seconds.

        Raises NotAuthenticated for whatever is wrong, Declined, ProviderAway.
        """
        code = await self._code(attempt, answer)
        given = await self._exchange(code, attempt.verifier)
        claims = await self._verified(str(given.get("id_token", "")), "id")
        tokens.check_id_token(claims, self.provider.issuer, self.provider.client_id, attempt.nonce, now)
        told = {**claims, **await self._userinfo(str(given.get("access_token", "")), claims["sub"])}
        words = [word for name in ("acr", "ial", "aal") for word in str(told.get(name, "")).split()]
        words += [word for word in str(claims.get("acr", "")).split() if word not in words]
        return Identity(
            issuer=self.provider.issuer,
            subject=claims["sub"],
            addresses=_confirmed(told, self.provider.confirms_addresses),
            assurance=self.provider.assurance(words),
            session=str(claims.get("sid", "")),
        )

    async def leaving(self) -> str:
        """Return where a browser signs out at the provider and comes back; empty where it has no such place."""
        document = await self._document("configuration")
        endpoint = document.get("end_session_endpoint")
        if not isinstance(endpoint, str) or not self.provider.may_call(endpoint):
            return ""
        asked = {"client_id": self.provider.client_id, "post_logout_redirect_uri": self.provider.leave_to}
        return _with(endpoint, {**asked, "state": secrets.token_urlsafe(32)})

    async def logout_notice(self, token: str, now: int) -> tuple[str, str, int]:
        """Return subject, session of the provider and time of a logout token. Raises NotAuthenticated, ProviderAway."""
        claims = await self._verified(token, "logout")
        tokens.check_logout_token(claims, self.provider.issuer, self.provider.client_id, now)
        return str(claims.get("sub", "")), str(claims.get("sid", "")), int(claims["iat"])

    async def security_event(self, token: str, now: int) -> tokens.Claims:
        """Return the claims of a security event token. Raises NotAuthenticated, ProviderAway."""
        claims = await self._verified(token, "event")
        tokens.check_event_token(claims, self.provider.issuer, self.provider.client_id, now)
        return claims

    async def bearer(self, token: str, now: int) -> str:
        """Return the subject of an access token for handing in mail. Raises NotAuthenticated, ProviderAway."""
        wanted = self.provider.mail
        if wanted is None or len(token) > tokens.MAX_TOKEN:
            raise tokens.wrong()
        claims = await (self._introspected(token) if wanted.asks else self._verified(token, "access"))
        tokens.check_access_token(claims, self.provider.issuer, wanted.audience, wanted.scope, now)
        return str(claims["sub"])

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._outward.close()

    async def _code(self, attempt: Attempt, answer: Mapping[str, str]) -> str:
        document = await self._document("configuration")
        issuer = answer.get("iss", "")
        if (issuer or document.get(_ISS_SUPPORTED) is True) and issuer != self.provider.issuer:
            raise tokens.wrong()
        if not hmac.compare_digest(answer.get("state", "").encode("utf-8", "replace"), attempt.state.encode()):
            raise tokens.wrong()
        if answer.get("error", ""):
            raise Declined
        if not answer.get("code", ""):
            raise tokens.wrong()
        return answer["code"]

    async def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        endpoint = await self._endpoint("token_endpoint")
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.provider.return_to}
        proof, headers = self._client_proof(endpoint)
        try:
            reply = await self._outward.send(endpoint, {**fields, "code_verifier": verifier, **proof}, headers)
        except ProviderRefuses:
            raise tokens.wrong() from None
        return reply.document()

    async def _introspected(self, token: str) -> tokens.Claims:
        """Ask the provider about an access token (RFC 7662): a no to us, not to the token, is a provider away."""
        endpoint = await self._endpoint("introspection_endpoint")
        proof, headers = self._client_proof(endpoint)
        fields = {"token": token, "token_type_hint": "access_token", **proof}
        try:
            told = (await self._outward.send(endpoint, fields, headers)).document()
        except ProviderRefuses:
            raise ProviderAway("introspection") from None
        if told.get("active") is not True:
            raise tokens.wrong()
        return {"iss": self.provider.issuer, **told}

    def _client_proof(self, endpoint: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the fields and headers that say which client this is (OpenID Connect Core 1.0 section 9)."""
        client_id, secret = self.provider.client_id, self.provider.secret.decode("utf-8", "replace")
        if self._signs is not None:
            now = int(time.time())
            claims = {"iss": client_id, "sub": client_id, "aud": endpoint, "jti": secrets.token_urlsafe(24)}
            header = {"alg": "RS256" if isinstance(self._signs, jwk.RSAKey) else "ES256"}
            assertion = jwt.encode(header, {**claims, "iat": now, "exp": now + ASSERTION_SECONDS}, self._signs)
            return {
                "client_id": client_id,
                "client_assertion_type": _ASSERTION,
                "client_assertion": assertion,
            }, {}
        if self.provider.client_authentication == "client_secret_basic":
            pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
            return {}, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return {"client_id": client_id, "client_secret": secret}, {}

    async def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        document = await self._document("configuration")
        endpoint = document.get("userinfo_endpoint")
        if not isinstance(endpoint, str) or not access_token:
            return {}
        try:
            reply: Reply = await self._outward.read(endpoint, access_token)
        except ProviderRefuses:
            raise tokens.wrong() from None
        if reply.media_type == "application/jwt":
            told = await self._verified(reply.octets.decode("ascii", "replace"), "userinfo")
            if told.get("iss", self.provider.issuer) != self.provider.issuer:
                raise tokens.wrong()
            audience = told.get("aud", self.provider.client_id)
            if self.provider.client_id not in (audience if isinstance(audience, list) else [audience]):
                raise tokens.wrong()
        else:
            told = reply.document()
        if told.get("sub") != subject:
            raise tokens.wrong()
        return told

    async def _verified(self, token: str, kind: str) -> tokens.Claims:
        try:
            return tokens.verified(token, await self._keys(KEPT_SECONDS), kind)
        except tokens.UnknownKey:
            keys = await self._keys(REFETCH_SECONDS)
        try:
            return tokens.verified(token, keys, kind)
        except tokens.UnknownKey:
            raise tokens.wrong() from None

    async def _keys(self, oldest: float) -> list[tokens.Key]:
        return tokens.read_keys(await self._document("keys", oldest))

    async def _endpoint(self, name: str) -> str:
        endpoint = (await self._document("configuration")).get(name)
        if not isinstance(endpoint, str) or not self.provider.may_call(endpoint):
            raise ProviderAway(name)
        return endpoint

    async def _document(self, name: str, oldest: float = KEPT_SECONDS) -> dict[str, Any]:
        """Return the configuration or the keys, no older than so many seconds."""
        address = discovery_address(self.provider.issuer)
        if name == "keys":
            address = await self._endpoint("jwks_uri")
        async with self._lock:
            fetched, document = self._documents.get(name, (float("-inf"), {}))
            now = time.monotonic()
            if now - fetched < oldest:
                return document
            if now < self._away_until:
                raise ProviderAway("no answer a moment ago")
            try:
                document = (await self._outward.read(address)).document()
                if name == "configuration" and document.get("issuer") != self.provider.issuer:
                    raise ProviderAway("another issuer")
            except (ProviderAway, ProviderRefuses):
                self._away_until = now + AWAY_SECONDS
                raise ProviderAway("no answer") from None
            self._documents[name] = (now, document)
            return document


def _with(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked, quote_via=quote)}"


def _confirmed(told: Mapping[str, Any], always: bool) -> tuple[str, ...]:
    """Return the addresses that the provider has confirmed, and that the person has let it share."""
    if told.get("email_verified", always) is not True:
        return ()
    others = told.get("all_emails")
    listed = [told.get("email"), *(others if isinstance(others, list) else [])]
    return tuple(dict.fromkeys(one for one in listed if isinstance(one, str) and one))


def signing_key(provider: Provider) -> jwk.RSAKey | jwk.ECKey:
    """Return the private key that the client proves itself with. Raises ConfigError when it is none that may."""
    for kind in (jwk.RSAKey, jwk.ECKey):
        try:
            key = kind.import_key(provider.secret)
            size = key.get_op_key("sign").key_size
        except (JoseError, ValueError, TypeError):
            continue
        if size >= (2048 if kind is jwk.RSAKey else 256):
            return key
    raise ConfigError(
        f"The key of provider {provider.key} is no RSA key of 2048 bits or more, and no P-256 key, as PEM."
    )
