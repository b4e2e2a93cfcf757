"""From the configuration to what is called outside: providers with their profiles, and what sends codes.

Secrets are read once, at the start.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

from gateway.authenticator.code_sender import CodeSender, LogSender, WebhookSender
from gateway.config import CodeSettings, ProviderSettings, SiteSettings
from gateway.domain.errors import ConfigError
from gateway.identity.providers import PROFILES, Provider
from gateway.store.keyfiles import read_private

RETURN = "sign-in/at/{}/return"
LEAVE = "signed-out"


def load_providers(listed: Sequence[ProviderSettings], portal_url: str) -> list[Provider]:
    """Return the providers. `portal_url` ends with a slash. Raises ConfigError for a secret that cannot be read."""
    return [_provider(one, portal_url) for one in listed]


def sender_of(codes: CodeSettings, site: SiteSettings) -> CodeSender | None:
    """Return what sends codes to telephones, None where nothing does. Raises ConfigError."""
    if codes.webhook is not None and codes.token is not None:
        token = read_private(codes.token).decode("utf-8", "replace").strip()
        return WebhookSender(codes.webhook, token, site.name, _trust(codes.ca_file))
    return LogSender() if site.is_trial else None


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
        trust=_trust(one.ca_file),
        mail=one.mail,
    )


def _trust(file: Path | None) -> ssl.SSLContext | None:
    if file is None:
        return None
    try:
        return ssl.create_default_context(cafile=file)
    except OSError:
        raise ConfigError(f"{file}: no certificates of an authority can be read from here.") from None
