"""What a site says of its notifications' wording and signature: loaded and checked whole, before the first one."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.clock import system_clock
from gateway.config import Settings, require_private
from gateway.domain.address import Address, parse_address
from gateway.domain.programme import Programme
from gateway.domain.specimen import Specimens
from gateway.outbound.samples import Samples
from gateway.outbound.smime import MailSigner, load_mail_signer
from gateway.outbound.templates import Templates
from gateway.programmes import load_programmes
from gateway.resources import templates_folder


def check_wording(settings: Settings) -> None:
    """Load what notifications are made of. Raises ConfigError with every problem, and what to do."""
    templates_of(settings, load_programmes(settings.programmes))
    mail_signer_of(settings, parse_address(settings.notifier.sender))


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


def mail_signer_of(settings: Settings, sender: Address) -> MailSigner | None:
    """Return what signs by S/MIME, None without. Raises ConfigError for what mail tools would not believe."""
    own = settings.notifier.smime
    if own is None:
        return None
    require_private(settings, [own.key])
    return load_mail_signer(own.certificate, own.key, sender, system_clock())
