"""The verb for automatic mail that a trusted relay brings: it ends here, with an entry and without its words."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.address import Address
from gateway.domain.errors import NotAllowed
from gateway.domain.reference import parse
from gateway.mime.automatic import AutomaticKind
from gateway.store.cases import case_by_reference
from gateway.store.memory import Source
from gateway.store.transaction import Transaction

BY_RELAY = "relay"
"""Who the entry says it was where there is no author."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Automatic mail: its kind, the relay that brought it, the cases it was addressed to, how many recipients."""

    kind: AutomaticKind
    relay: str
    cases: tuple[str, ...]
    recipients: int


def end(tx: Transaction, by: str, ending: Ending) -> str:
    """Enter it, and return the entry's id: nobody is told, and nothing else is written."""
    return tx.record(
        "mail_ended",
        by,
        type=ending.kind.value,
        relay=ending.relay,
        cases=ending.cases,
        recipients=ending.recipients,
    )


def case_addressed(source: Source, domain: str, address: Address) -> str | None:
    """Return the id of the case whose address this is; None for another address of the domain.

    Raises NotAllowed for an address elsewhere: mail for others would vanish here.
    """
    if address.domain != domain:
        raise NotAllowed("Automatic mail is taken for this gateway's own addresses only.")
    try:
        found = case_by_reference(source, parse(address.local))
    except ValueError:
        return None
    return None if found is None else found.id
