"""A look at each identity provider, for `gateway doctor`: what it says of itself, its keys, its clock, our own key.

Nobody is signed in and nothing is changed: two documents are fetched, as the authenticator does before a sign-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from gateway.authenticator.providers import load_providers
from gateway.config import Settings
from gateway.domain.credential import discovery_address
from gateway.domain.errors import ConfigError, NotAuthenticated
from gateway.findings import Finding, State
from gateway.identity import tokens
from gateway.identity.openid import signing_key
from gateway.identity.outward import Outward, ProviderAway, ProviderRefuses, Reply
from gateway.identity.providers import Provider

SKEW_SECONDS: Final = 5.0
MOST_SKEW_SECONDS: Final = 60.0
"""From here on tokens count as too old, or as not yet made."""
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def providers(settings: Settings) -> Iterator[Finding]:
    """Look at every provider that the site names. Raises ConfigError where a secret cannot be read."""
    listed = settings.authenticator.providers
    if not listed:
        advice = "Off: signing in at one. Name it: [authenticator.providers.NAME]"
        yield Finding("identity providers", State.OFF, "none named", advice)
        return
    for one in load_providers(listed, settings.site.portal_url):
        yield from asyncio.run(examine(one))


async def examine(provider: Provider) -> list[Finding]:
    """Return what was found of one provider, each line under its key."""
    name, outward = f"provider {provider.key}", Outward(provider)
    found = [_own_key(name, provider)]
    try:
        reply = await outward.read(discovery_address(provider.issuer))
        document = reply.document()
        found += _discovery(name, provider, document)
        found.append(_clock(name, reply))
        found.append(await _keys(name, provider, outward, document))
    except ProviderRefuses as problem:
        advice = "Compare issuer with what the provider writes, letter by letter."
        found.append(Finding(name, State.PROBLEM, f"answers {problem} where its configuration should be", advice))
    except ProviderAway as problem:
        advice = (
            "Try from this machine: curl ISSUER/.well-known/openid-configuration; look at DNS, firewall and ca_file."
        )
        found.append(Finding(name, State.PROBLEM, f"does not answer: {problem}", advice))
    finally:
        await outward.close()
    return found


def _own_key(name: str, provider: Provider) -> Finding:
    if provider.client_authentication != "private_key_jwt":
        if provider.secret:
            return Finding(name, State.OK, f"the client's secret is there ({provider.client_authentication})")
        return Finding(name, State.PROBLEM, "the client's secret is empty", "Put what the provider gave into secret.")
    try:
        key = signing_key(provider)
    except ConfigError as problem:
        return Finding(name, State.PROBLEM, "the client's key cannot sign", problem.advice)
    words = f"signs with a key of thumbprint {key.thumbprint()}"
    return Finding(
        name, State.OK, words, "The provider has to know its public half: compare the thumbprint (RFC 7638)."
    )


def _discovery(name: str, provider: Provider, document: Mapping[str, Any]) -> Iterator[Finding]:
    if document.get("issuer") != provider.issuer:
        advice = "Write issuer as the provider does; a slash at the end counts."
        yield Finding(name, State.PROBLEM, "its configuration names another issuer", advice)
        return
    asks = provider.mail is not None and provider.mail.asks
    for endpoint in (*_ENDPOINTS, "introspection_endpoint") if asks else _ENDPOINTS:
        address = document.get(endpoint)
        if not isinstance(address, str) or not provider.may_call(address):
            what = f"{endpoint} stands on a host that is not called" if address else f"has no {endpoint}"
            yield Finding(name, State.PROBLEM, what, "Ask the provider, and name its hosts: hosts = [...]")
    for key, wanted in (
        ("token_endpoint_auth_methods_supported", (provider.client_authentication,)),
        ("code_challenge_methods_supported", ("S256",)),
        ("acr_values_supported", provider.acr_values),
        ("scopes_supported", provider.scopes),
    ):
        missing = [one for one in wanted if key in document and one not in (document[key] or ())]
        if missing:
            advice = "Choose what the provider offers, or ask it to."
            yield Finding(name, State.WARNING, f"does not list {', '.join(missing)} in {key}", advice)
    yield Finding(name, State.OK, f"its configuration is there: {provider.issuer}")


def _clock(name: str, reply: Reply) -> Finding:
    try:
        theirs = parsedate_to_datetime(reply.date)
    except (TypeError, ValueError):
        return Finding(name, State.OK, "tells no time")
    skew = abs((datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds())
    advice = "Sign-ins are refused as too old, or too early. Keep this machine's clock by NTP."
    if skew > MOST_SKEW_SECONDS:
        return Finding(name, State.PROBLEM, f"its clock and ours are {skew:.0f} s apart", advice)
    if skew > SKEW_SECONDS:
        return Finding(name, State.WARNING, f"its clock and ours are {skew:.0f} s apart", advice)
    return Finding(name, State.OK, "its clock and ours agree")


async def _keys(name: str, provider: Provider, outward: Outward, document: Mapping[str, Any]) -> Finding:
    address = document.get("jwks_uri")
    if not isinstance(address, str) or not provider.may_call(address):
        return Finding(name, State.PROBLEM, "its keys cannot be asked for", "Name its hosts: hosts = [...]")
    try:
        keys = tokens.read_keys((await outward.read(address)).document())
    except NotAuthenticated:
        keys = []
    if not keys:
        advice = "Nobody can sign in there. Ask the provider: RS256 or ES256 keys are wanted."
        return Finding(name, State.PROBLEM, "no key of its own that counts here", advice)
    return Finding(name, State.OK, f"keys to check its tokens with: {len(keys)}")
