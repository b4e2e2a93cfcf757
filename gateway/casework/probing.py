"""The verb for a mail of `gateway doctor mail` that has come: the way it took, and what was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.casework.automatic import BY_RELAY
from gateway.mime.trace import Hop
from gateway.store.transaction import Transaction

KIND = "probe_arrived"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A probe's id, the relay that brought it, its hops, and the reply that was given."""

    probe: str
    relay: str
    hops: Sequence[Hop]
    reply: str


def enter_arrival(tx: Transaction, arrival: Arrival) -> str:
    """Enter it, and return the entry's id."""
    hops = [{"from": one.source, "by": one.by, "protocol": one.protocol, "tls": one.tls} for one in arrival.hops]
    return tx.record(KIND, BY_RELAY, probe=arrival.probe, relay=arrival.relay, hops=hops, reply=arrival.reply)
