"""What a site says of its notifications' wording and signature: loaded and checked whole, before the first one."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.clock import system_clock
from gateway.config import Settings
from gateway.domain.address import parse_address
from gateway.domain.programme import Programme
from gateway.domain.specimen import Specimens
from gateway.outbound.samples import Samples
from gateway.outbound.templates import Templates
from gateway.parcels.smime_signing import mail_signer_of
from gateway.programmes import load_programmes
from gateway.resources import templates_folder


def check_wording(settings: Settings) -> None:
    """Load what notifications are made of. Raises ConfigError with every problem, and what to do."""
    templates_of(settings, load_programmes(settings.programmes))
    mail_signer_of(settings, parse_address(settings.notifier.sender), system_clock())


def templates_of(settings: Settings, programmes: Mapping[str, Programme]) -> Templates:
    """Return the templates of a site, its own files over the shipped ones. Raises ConfigError with every problem."""
    languages = frozenset(language for programme in programmes.values() for language in programme.languages)
    templates = Templates(templates_folder() / "notifications", languages, settings.notifier.templates)
    templates.check_with(programmes.values())
    return templates


def specimens_of(settings: Settings) -> Specimens:
    """Return what shows a site's notifications. Raises ConfigError with every problem of its templates."""
    programmes = load_programmes(settings.programmes)
    templates = templates_of(settings, programmes)
    samples = Samples(templates, programmes, settings.site.portal_url, settings.site.environment, system_clock)
    return Specimens(samples.show, samples.subject)
