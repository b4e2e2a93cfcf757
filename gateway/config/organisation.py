"""How each message of a relay that serves many organisations proves that it is one of the site's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OrganisationSettings:
    """The tenants (ids) and domains whose word counts, in lower case, beside a signature of the sender's domain.

    With `secret_file` a header that the site's own rule sets stands in the place of the signature; one secret a line.
    `nameservers` (host, port; empty: the machine's) know the keys of signatures.
    """

    tenants: frozenset[str]
    originator_orgs: frozenset[str]
    secret_file: Path | None
    nameservers: tuple[tuple[str, int], ...]
