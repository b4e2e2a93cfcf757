"""[authenticator.providers.NAME] and [authenticator.codes]: identity providers, and what sends codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from gateway.config.reading import Table
from gateway.config.sign_in import CodeSettings, ProviderSettings
from gateway.domain.assurance import SHAPE, Assurance
from gateway.domain.credential import MailTokens
from gateway.domain.rights import Side

PROFILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "login.gov": ("private_key_jwt",),
        "id.me": ("client_secret_basic", "client_secret_post"),
        "generic": ("private_key_jwt", "client_secret_basic", "client_secret_post"),
    }
)
"""The kinds of provider, and how a client may prove itself to each; the first is what is used when nothing is said."""
_ISSUER = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]{0,200})?\Z")
_WEBHOOK = re.compile(r"https://[!-~]{1,500}\Z")
_LEVELS = re.compile(r"ial[0-3] aal[0-3](?: phishing-resistant)?\Z")
_HOST = re.compile(r"[a-z0-9.-]{1,253}(?::[0-9]{1,5})?\Z")
_SIDES = {"employees": Side.OFFICE.value, "correspondents": Side.CORRESPONDENT.value}


def read_provider(table: Table, key: str) -> ProviderSettings:
    """Read the table of one provider."""
    profile = table.choice("profile", "generic", PROFILES)
    proofs = PROFILES[profile]
    sides = table.texts("for", ("correspondents",), re.compile("(?:employees|correspondents)$"), '"employees" or …')
    word = re.compile(r"[!#-\[\]-~]{1,200}\Z")
    if not sides:
        table.complain("for", "names nobody.", 'Give "correspondents", "employees", or both.')
    mail = table.table("mail", _mail_tokens) if table.has("mail") else None
    client_id = table.text("client_id")
    if mail is not None and "employees" not in sides:
        table.complain(
            "mail", "is for employees, and this provider is not.", 'Add "employees" to for, or leave it out.'
        )
    if mail is not None and mail.audience == client_id:
        table.complain("mail.audience", "is client_id: an ID token would pass.", "Have the provider name another one.")
    return ProviderSettings(
        key=key,
        title=table.text("title"),
        profile=profile,
        issuer=table.text("issuer", None, _ISSUER, 'the issuer as the provider writes it: "https://…"'),
        client_id=client_id,
        client_authentication=table.choice("client_authentication", proofs[0], proofs),
        secret=table.path("secret", None),
        scopes=table.texts("scopes", (), word, "one scope"),
        acr_values=table.texts("acr_values", (), word, "one value of acr"),
        levels=table.table("levels", _levels),
        least=Assurance.parse(table.text("least", "ial2 aal2", _LEVELS, SHAPE)),
        least_by_programme=table.table("least_by_programme", _levels),
        sides=frozenset(_SIDES[side] for side in sides),
        hosts=table.texts("hosts", (), _HOST, "a host, with :port where it is not 443"),
        ca_file=table.maybe_path("ca_file"),
        mail=mail,
    )


def read_codes(table: Table) -> CodeSettings:
    """Read what sends codes to telephones."""
    webhook = table.text("webhook", "", _WEBHOOK, 'the address of a web service: "https://…"') or None
    token = table.maybe_path("token")
    if (webhook is None) != (token is None):
        table.complain("webhook", "and token belong together.", "Give both, or neither.")
    return CodeSettings(webhook=webhook, token=token, ca_file=table.maybe_path("ca_file"))


def _mail_tokens(table: Table) -> MailTokens:
    word = re.compile(r"[!#-\[\]-~]{1,255}\Z")
    return MailTokens(
        audience=table.text("audience", None, word, "the audience that the provider puts into the token"),
        scope=table.text("scope", None, word, "one scope"),
        asks=table.choice("check", "keys", ("keys", "introspection")) == "introspection",
    )


def _levels(table: Table) -> Mapping[str, Assurance]:
    found = {}
    for key in table.unread:
        words = table.text(key, None, _LEVELS, SHAPE)
        if words:
            found[key] = Assurance.parse(words)
    return MappingProxyType(found)
