"""One message through the site's own mail system to an address of ours, and the way it took: `gateway doctor mail`.

What it holds: the password it was given to sign in there with, in memory. How it fails: what did not arrive in time is
a finding that says where to look; nothing is left but the entry of what came.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from gateway.casework.probing import KIND
from gateway.clock import system_clock
from gateway.config import Settings
from gateway.domain.address import Address
from gateway.domain.clock import to_microseconds
from gateway.domain.delivery import DeliveryState
from gateway.domain.errors import ConfigError
from gateway.domain.probe import ProbeAddresses
from gateway.findings import Finding, State
from gateway.mime.trace import Hop
from gateway.outbound.conversation import Hurdle, Lost
from gateway.outbound.relay import Relay, RelayWay
from gateway.outbound.site import relay_of
from gateway.store import keyfiles
from gateway.store.tables import leaf

Entered = dict[str, Any]
Look = Callable[[str, int], Entered | None]

LOOK_SECONDS: Final = 0.5
SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What to send: as whom, through which host (None: `notifier.relay`), signed in as whom, how long to wait."""

    sender: Address
    host: str = ""
    port: int = 0
    username: str | None = None
    password: str | None = None
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Way:
    """What became of it: findings in the order of the way, and the hops as they were told, the first one first."""

    findings: tuple[Finding, ...]
    hops: tuple[Hop, ...] = ()
    relay: str = ""


async def send_one_through(settings: Settings, errand: Errand, look: Look) -> Way:
    """Send one message and look how it comes. Raises ConfigError where there is nothing to send it by.

    `look` says what was entered of a probe since an instant (microseconds); it is called in a thread.
    """
    relay = _relay(settings, errand)
    probes = ProbeAddresses(settings.site.domain, keyfiles.return_path_key(settings.keys.folder))
    now = system_clock()
    to = probes.of(os.urandom(5), int(now.timestamp()))
    handed = await _hand_over(relay, errand, to, _mail(errand.sender, to, format_datetime(now)))
    if handed.state is not State.OK:
        return Way((handed,))
    probe = to.local.removeprefix("probe-").rpartition("-")[0]
    since = to_microseconds(now)
    for _ in range(max(1, int(errand.seconds / LOOK_SECONDS))):
        came = await asyncio.to_thread(look, probe, since)
        if came is not None:
            return _told(handed, came)
        await asyncio.sleep(LOOK_SECONDS)
    words = f"nothing came within {errand.seconds:.0f} s"
    advice = (
        f"Look into the mail system's queue and log for {to}. Its way for {settings.site.domain} may lead elsewhere: "
        "to the public door, which takes no employee's mail, or nowhere. A bounce to the sender says more."
    )
    return Way((handed, Finding("arrival", State.PROBLEM, words, advice)))


def _relay(settings: Settings, errand: Errand) -> Relay:
    named = settings.notifier.relay
    if named is None:
        raise ConfigError("There is no notifier.relay to send by: name the site's mail system there.")
    relay = relay_of(settings, named)
    host, port = errand.host or relay.host, errand.port or relay.port
    username, password = (errand.username, errand.password) if errand.username else (relay.username, relay.password)
    try:
        return replace(relay, host=host, port=port, username=username, password=password)
    except ValueError:
        raise ConfigError("Without TLS (notifier.tls) only this machine is spoken to, and nobody signs in.") from None


async def _hand_over(relay: Relay, errand: Errand, to: Address, mail: bytes) -> Finding:
    """Give it to the mail system; what that says is the first finding."""
    name, way = "mail system", RelayWay(relay)
    try:
        conversation = await way.open("")
    except (Hurdle, OSError, TimeoutError) as problem:
        why = problem.delivery.text if isinstance(problem, Hurdle) else "it does not answer"
        return Finding(name, State.PROBLEM, f"{relay.host}:{relay.port}: {why}", "It was not spoken to: see its log.")
    try:
        said = await conversation.hand_over(mail, str(errand.sender), to, relay.deadline)
    except Hurdle as problem:
        advice = "Does it want the sender to have signed in? --login USERNAME --password-file FILE"
        return Finding(name, State.PROBLEM, f"{relay.host} refused the sender: {problem.delivery.text}", advice)
    except (Lost, OSError, TimeoutError):
        return Finding(name, State.PROBLEM, f"{relay.host} ended the conversation", "See its log.")
    finally:
        conversation.drop()
    if said.state is not DeliveryState.DELIVERED:
        advice = f"It has no way to {to.domain}, or blocks it: see its plan, gateway postfix plan."
        return Finding(name, State.PROBLEM, f"{relay.host} said {said.code} {said.enhanced} {said.text}", advice)
    tls = "over TLS" if conversation.is_encrypted else "in clear"
    return Finding(name, State.OK, f"{relay.host}:{relay.port} took it, {tls}")


def _told(handed: Finding, came: Entered) -> Way:
    hops = tuple(Hop(one["from"], one["by"], one["protocol"], one["tls"]) for one in came["hops"])
    return Way((handed, *_on_the_way(hops), _end(came)), hops, came["relay"])


def _on_the_way(hops: tuple[Hop, ...]) -> Iterator[Finding]:
    for number, hop in enumerate(hops, 1):
        way = f"{hop.source or 'here it began'} → {hop.by}"
        tls = hop.tls or ("TLS" if hop.is_encrypted else "")
        if tls or not hop.source:
            yield Finding(f"hop {number}", State.OK, f"{way}: {tls or 'on that machine'}")
        else:
            advice = "Nothing says that this way had TLS: on a network the text went over it in clear."
            yield Finding(f"hop {number}", State.WARNING, f"{way}: {hop.protocol or 'no protocol told'}", advice)


def _end(came: Entered) -> Finding:
    """What the gateway itself said at the end of the way."""
    reply = str(came["reply"])
    words = f"gateway, by {came['relay']}: {reply}"
    if reply.startswith("2"):
        return Finding("arrival", State.OK, f"{words}; the host proved itself")
    return Finding("arrival", State.PROBLEM, words, "Employees' mail is refused so, too: docs/operations.md.")


def arrival_of(connection: Connection, probe: str, since_us: int) -> Entered | None:
    """Return what was entered of a probe since then, None while it has not come."""
    statement = select(leaf.c.body).where(leaf.c.kind == KIND, leaf.c.at_us >= since_us)
    facts = [json.loads(body)["facts"] for body in connection.execute(statement).scalars()]
    return next((one for one in facts if one["probe"] == probe), None)


def _mail(sender: Address, to: Address, date: str) -> bytes:
    return (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: A look at the way of mail\r\nDate: {date}\r\n"
        f"Message-ID: <{to}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        "Sent by an operator of the secure mail gateway, to see the way it takes. It can be deleted.\r\n"
    ).encode("ascii")
