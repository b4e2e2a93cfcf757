"""From the configuration to the providers: profiles filled in, secrets read once at the start."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from gateway.config import ProviderSettings
from gateway.domain.errors import ConfigError
from gateway.identity.providers import PROFILES, Provider
from gateway.store.keyfiles import read_private

RETURN = "sign-in/at/{}/return"
LEAVE = "signed-out"


def load_providers(listed: Sequence[ProviderSettings], portal_url: str) -> list[Provider]:
    """Return the providers. `portal_url` ends with a slash. Raises ConfigError for a secret that cannot be read."""
    return [_provider(one, portal_url) for one in listed]


def _provider(one: ProviderSettings, portal_url: str) -> Provider:
    profile = PROFILES[one.profile]
    secret = read_private(one.secret)
    return Provider(
        key=one.key,
        title=one.title,
        issuer=one.issuer,
        client_id=one.client_id,
        client_authentication=one.client_authentication,
        secret=secret if one.client_authentication == "private_key_jwt" else secret.strip(),
        scopes=one.scopes or profile.scopes,
        acr_values=one.acr_values or profile.acr_values,
        prompt=profile.prompt,
        levels={**profile.levels, **one.levels},
        least=one.least,
        least_by_programme=one.least_by_programme,
        sides=one.sides,
        return_to=portal_url + RETURN.format(one.key),
        leave_to=portal_url + LEAVE,
        confirms_addresses=profile.confirms_addresses,
        hosts=frozenset(one.hosts),
        trust=_trust(one),
    )


def _trust(one: ProviderSettings) -> ssl.SSLContext | None:
    if one.ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=one.ca_file)
    except OSError:
        raise ConfigError(f"{one.ca_file}: no certificates of an authority can be read from here.") from None
