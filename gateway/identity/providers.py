"""Identity providers as values: what the site agreed with each, and what is known of the well-known ones.

A profile tells how a provider names its levels of assurance. What a token says in other words counts for nothing.
Login.gov: developers.login.gov/oidc (old `ial/2` is not IAL2 there). ID.me: its OpenID Connect guide.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from gateway.domain.assurance import Assurance
from gateway.domain.credential import MailTokens

_NIST = "http://idmanagement.gov/ns/assurance"


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of provider asks for and says. `levels`: assurance by word, as `acr`, `ial` or `aal` name it.

    One that `confirms_addresses` gives only such, and does not say so with each.
    """

    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]
    prompt: str
    levels: Mapping[str, Assurance]
    confirms_addresses: bool = False


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "login.gov": Profile(
            scopes=("openid", "email"),
            acr_values=("urn:acr.login.gov:verified-facial-match-required", f"{_NIST}/aal/2"),
            prompt="select_account",
            levels=MappingProxyType(
                {
                    "urn:acr.login.gov:auth-only": Assurance(1, 1),
                    "urn:acr.login.gov:verified": Assurance(1, 1),
                    "urn:acr.login.gov:verified-facial-match-required": Assurance(2, 1),
                    f"{_NIST}/ial/1": Assurance(1, 1),
                    f"{_NIST}/ial/2": Assurance(1, 1),
                    f"{_NIST}/aal/2": Assurance(0, 2),
                    f"{_NIST}/aal/2?phishing_resistant=true": Assurance(0, 2, resists_phishing=True),
                    f"{_NIST}/aal/2?hspd12=true": Assurance(0, 2, resists_phishing=True),
                }
            ),
        ),
        "id.me": Profile(
            scopes=("openid", f"{_NIST}/ial/2/aal/2"),
            acr_values=(),
            prompt="",
            levels=MappingProxyType({f"{_NIST}/ial/2/aal/2": Assurance(2, 2), f"{_NIST}/ial/1/aal/1": Assurance(1, 1)}),
            confirms_addresses=True,
        ),
        "generic": Profile(
            scopes=("openid", "email"),
            acr_values=(),
            prompt="",
            levels=MappingProxyType({}),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `secret` is the client's secret, or its private key as PEM, as `client_authentication` needs it.

    `least` is what a sign-in must reach, by programme where `least_by_programme` names it. `hosts` are those that its
    endpoints may stand on; the issuer's own is always one. `return_to` is where the browser comes back (the portal).
    """

    key: str
    title: str
    issuer: str
    client_id: str
    client_authentication: str
    secret: bytes = field(repr=False)
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]
    prompt: str
    levels: Mapping[str, Assurance]
    least: Assurance
    least_by_programme: Mapping[str, Assurance]
    sides: frozenset[str]
    return_to: str
    leave_to: str
    confirms_addresses: bool = False
    hosts: frozenset[str] = frozenset()
    trust: ssl.SSLContext | None = field(default=None, repr=False)
    mail: MailTokens | None = None

    def may_call(self, address: str) -> bool:
        """Tell whether an address is one of this provider's own: HTTPS, on a host that the site knows of."""
        try:
            place = urlsplit(address)
            return place.scheme == "https" and place.username is None and place.netloc in self.hosts | {self._own}
        except ValueError:
            return False

    def assurance(self, words: list[str]) -> Assurance:
        """Return what these words come to: each counts as the profile says, an unknown one for nothing."""
        reached = Assurance()
        for word in words:
            reached = reached.joined(self.levels.get(word, Assurance()))
        return reached

    def requires(self, programme: str) -> Assurance:
        """Return what a person of a programme must reach."""
        return self.least_by_programme.get(programme, self.least)

    @property
    def _own(self) -> str:
        return urlsplit(self.issuer).netloc
