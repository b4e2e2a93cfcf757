"""The site as its pages name it: who runs this gateway, in which environment, under which address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.config import Settings, SubmissionSettings
from gateway.domain.intake import OVERDUE_US
from gateway.domain.notice import PRODUCTION
from gateway.domain.programme import Programme
from gateway.domain.sunset import Sunsets


@dataclass(frozen=True, slots=True)
class Way:
    """An identity provider at which people sign in: its key in addresses, and what people call it."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The submission door as a mail tool is told of it: its host, its ports (0 for none), and the ways to sign in."""

    host: str
    tls_port: int
    starttls_port: int
    passwords: bool
    tokens: bool
    certificates: bool


@dataclass(frozen=True, slots=True)
class PortalSite:
    """Name of the site, its environment, the portal's one fixed address (`https://host/` or `https://host:port/`), the
    domain that messages are sent to, the identity providers, whether codes are sent to telephones, what is acknowledged
    before a sign-in, whether mail tools have passwords, which groups sign in by a password until when, for how many
    minutes a clerk's claim holds, and for how long (in microseconds) something may wait in the intake tray; how many
    minutes an employee's message waits before it is released.

    Raises ValueError when the address has another form.
    """

    name: str
    environment: str
    portal: str
    domain: str
    ways: tuple[Way, ...] = ()
    sends_codes: bool = False
    banner: str = ""
    app_passwords: bool = True
    sunsets: Sunsets = field(default_factory=Sunsets)
    claim_minutes: int = 15
    overdue_us: int = OVERDUE_US
    delay_minutes: int = 0
    full_copies: frozenset[str] = frozenset()
    """Programmes in which employees may have replies whole in their mail."""
    outgoing: Outgoing | None = None
    """None where mail tools hand in nothing."""

    def __post_init__(self) -> None:
        address = urlsplit(self.portal)
        if address.scheme != "https" or not address.hostname or address.path != "/" or address.query:
            raise ValueError("the portal's address has the form https://host/, with no path and no query")

    @property
    def host(self) -> str:
        """The host name of the portal's address, lower-case, without a port."""
        return urlsplit(self.portal).hostname or ""

    def way(self, key: str) -> Way | None:
        """Return the identity provider with this key, or None."""
        return next((way for way in self.ways if way.key == key), None)

    @property
    def is_trial(self) -> bool:
        """True outside production: every page then says so."""
        return self.environment != PRODUCTION


def site_of(settings: Settings, programmes: Mapping[str, Programme]) -> PortalSite:
    """Return the site that is configured."""
    site, security, codes = settings.site, settings.security, settings.authenticator.codes
    return PortalSite(
        site.name,
        site.environment,
        site.portal_url,
        site.domain,
        ways=tuple(Way(one.key, one.title) for one in settings.authenticator.providers),
        sends_codes=codes.webhook is not None or site.is_trial,
        banner=security.banner,
        app_passwords=security.app_passwords,
        sunsets=Sunsets(security.sunsets, {key: one.zone for key, one in programmes.items()}),
        claim_minutes=settings.portal.claim_minutes,
        overdue_us=settings.overdue_us,
        delay_minutes=settings.submission.release_delay_minutes,
        full_copies=frozenset(settings.full_copies.programmes),
        outgoing=_outgoing(settings.submission),
    )


def _outgoing(own: SubmissionSettings) -> Outgoing | None:
    ways = own.sign_in
    if not ways.is_offered:
        return None
    tls, starttls = ([place.port for place in places] for places in (own.tls, own.starttls))
    return Outgoing(
        host=own.hostname,
        tls_port=tls[0] if tls else 0,
        starttls_port=starttls[0] if starttls else 0,
        passwords=ways.passwords,
        tokens=ways.tokens is not None,
        certificates=ways.certificates is not None,
    )
