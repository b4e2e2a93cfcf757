"""What a site makes parcels with, and how it judges keys: put together from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from gateway.config import Settings
from gateway.config.security import Sealing
from gateway.domain.address import parse_address
from gateway.domain.errors import Malformed, Unavailable
from gateway.domain.recipient_key import RecipientKey
from gateway.parcels.making import Signer
from gateway.parcels.openpgp_key import check_openpgp, is_openpgp
from gateway.parcels.own_key import load_own_key
from gateway.parcels.smime_key import MailCertificates
from gateway.parcels.smime_signing import mail_signer_of


def user_id_of(settings: Settings) -> str:
    """Return the user id of the gateway's own key: its name, and the address that its notifications come from."""
    name = " ".join("".join(one for one in settings.site.name if one not in "<>()@").split())
    return f"{name} <{settings.notifier.sender}>"


def signer_of(settings: Settings, now: datetime) -> Signer:
    """Load what parcels are signed with. Raises ConfigError for a key that cannot be used."""
    own = load_own_key(settings.full_copies.keys.openpgp, user_id_of(settings))
    sender = parse_address(settings.notifier.sender)
    return Signer(own, mail_signer_of(settings, sender, now), offers_smime=offers_smime(settings))


def offers_smime(settings: Settings) -> bool:
    """Tell whether parcels are made for certificates: their authorities are named, and the profile takes RSA so."""
    return settings.full_copies.keys.smime is not None and settings.security.sealing is not Sealing.FIPS


class KeyChecker:
    """Judges what an employee gives as their key. Raises ConfigError where the files of the site cannot be read."""

    def __init__(self, certificates: MailCertificates | None = None) -> None:
        """Without `certificates` OpenPGP keys alone are taken."""
        self._certificates = certificates

    @property
    def takes_certificates(self) -> bool:
        """True where S/MIME is offered."""
        return self._certificates is not None

    async def check(self, octets: bytes, addresses: Iterable[str], now: datetime) -> RecipientKey:
        """Return the key. Raises Malformed that says what is wrong with it, Unavailable."""
        if is_openpgp(octets):
            return await asyncio.to_thread(check_openpgp, octets, tuple(addresses), now)
        if self._certificates is None:
            raise Malformed("No OpenPGP public key can be read in this. Certificates (S/MIME) are not taken here.")
        return await self._certificates.check(octets, addresses, now)

    async def is_revoked(self, key: RecipientKey, now: datetime) -> bool:
        """Look up a certificate that was taken before. Raises Unavailable where nothing is known of it now."""
        if self._certificates is None:
            raise Unavailable("Certificates are not taken here any more.")
        return await self._certificates.is_revoked(key, now)

    async def close(self) -> None:
        """Close what is open to a responder."""
        if self._certificates is not None:
            await self._certificates.close()


def checker_of(settings: Settings) -> KeyChecker:
    """Return what judges keys at a site. Raises ConfigError."""
    own = settings.full_copies.keys.smime
    return KeyChecker(MailCertificates(own) if own is not None and offers_smime(settings) else None)
