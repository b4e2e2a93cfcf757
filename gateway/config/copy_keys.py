"""Of the table [full_copies]: what full copies are signed with, and whose certificates they are encrypted to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.config.security import Sealing

if TYPE_CHECKING:
    from gateway.config.reading import Table

_HTTP: Final = re.compile(r"https?://[^\s/]{1,253}(?:/[!-~]{0,500})?\Z")


@dataclass(frozen=True, slots=True)
class MailAuthorities:
    """The authorities that vouch for employees' S/MIME certificates, and where revocation is looked up: a file of
    lists, a responder's address, either or both.
    """

    authorities: Path
    crl: Path | None
    ocsp: str


@dataclass(frozen=True, slots=True)
class CopyKeys:
    """The file of the gateway's own OpenPGP key, which need not be there, and the authorities of S/MIME; None:
    certificates are not taken.
    """

    openpgp: Path = Path("key.pem")
    smime: MailAuthorities | None = None


def read_copy_keys(table: Table, keys: Path, sealing: Sealing) -> CopyKeys:
    """Read these keys of the table. `keys` is the folder of the site's keys."""
    smime = table.table("smime", _authorities) if table.has("smime") else None
    if smime is not None and sealing is Sealing.FIPS:
        what = 'is set, and its RSA padding is none of security.sealing = "fips".'
        table.complain("smime", what, "Leave the table out: employees take OpenPGP keys.")
    return CopyKeys(openpgp=table.path("openpgp_key", keys / "openpgp" / "key.pem"), smime=smime)


def _authorities(table: Table) -> MailAuthorities:
    crl = table.maybe_path("crl")
    ocsp = table.text("ocsp", "", _HTTP, "the address of your authority's responder: http://host/…")
    if crl is None and not ocsp:
        do = "Give crl, the file of your authority's lists, or ocsp, the address of its responder, or both."
        table.complain("crl", "and ocsp are missing, and nobody would notice a certificate that is revoked.", do)
    return MailAuthorities(table.path("authorities", None), crl, ocsp)
