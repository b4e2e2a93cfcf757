"""An address card for a case (vCard 3.0, RFC 2426, which Outlook and Thunderbird both take): its reference and address.

Whoever keeps it in their address book writes to the right address by typing a part of the reference.
"""

from __future__ import annotations

from gateway.domain.address import Address
from gateway.domain.content_lines import escaped, written
from gateway.domain.reference import Reference

MEDIA_TYPE = "text/vcard; charset=utf-8"


def card(case: Reference, domain: str, site: str) -> bytes:
    """Return the octets of a `.vcf` file, for the domain that messages are sent to and the name of the site.

    No name and no word of a message stands in it.
    """
    name, address = f"{case.of_case}", Address(case.local_part, domain)
    note = f"{site}: mail to this address is sealed, and read by those alone who stand in the case."
    return written([
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{escaped(name)};;;;",
        f"FN:{escaped(name)}",
        f"EMAIL;TYPE=INTERNET:{escaped(str(address))}",
        f"NOTE:{escaped(note)}",
        "CLASS:CONFIDENTIAL",
        f"UID:{escaped(str(address))}",
        "END:VCARD",
    ])  # fmt: skip


def file_name(case: Reference) -> str:
    """Return what the file is called."""
    return f"{case.of_case}.vcf"
