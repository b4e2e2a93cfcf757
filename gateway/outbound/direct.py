"""Directly to the hosts of a domain: found by its MX records, spoken to by the TLS that is demanded of them.

What it trusts: DNS for where to go, as mail always does, but not to bring it to this machine, into the site's own
networks, or below the TLS that a domain once had. How it fails: a domain that says it takes no mail, or whose host is
this gateway, is final; all else delays, and the next host is tried.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from gateway.domain.address import Address
from gateway.domain.clock import Clock
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.outbound import dane
from gateway.outbound.conversation import Conversation, Hurdle, NoWay, Opening, open_conversation
from gateway.outbound.destination import Bearing
from gateway.outbound.hosts import GOES_ROUND, Host, HostFinder, Route
from gateway.outbound.names import Exchange
from gateway.outbound.standing import Standings
from gateway.outbound.tls_policy import Demand, Level, Standing, TlsContexts, demand_on
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome

OPEN_SECONDS: Final = 75.0
TRY_SECONDS: Final = 20.0
COMMAND_SECONDS: Final = 30.0
MOST_TRIES: Final = 6
KNOWN_FOR: Final = (timedelta(seconds=30), timedelta(minutes=5))
"""How long what DNS says of a domain is kept, whatever it says itself: at least, at most."""
SOFTER_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out of a domain, and until when that is believed."""

    route: Route
    standing: Standing
    until: datetime


class DirectWay:
    """The way by MX: a place for each domain."""

    def __init__(
        self,
        hosts: HostFinder,
        standings: Standings,
        tls: TlsContexts,
        *,
        helo: str,
        port: int,
        connections: int,
        clock: Clock,
    ) -> None:
        """`helo` is our own host name; `port` is where hosts listen."""
        self.bears = Bearing(connections)
        self.seconds = COMMAND_SECONDS
        self._hosts = hosts
        self._standings = standings
        self._tls = tls
        self._helo = helo
        self._port = port
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._softer: dict[str, datetime] = {}
        """Until when no verified TLS is tried with a host that nobody asks it of, as its certificate was none."""

    def place(self, to: Address) -> str:
        """Return the address's domain."""
        return to.domain

    async def open(self, place: str) -> Conversation:
        """Open a conversation with a host of the domain. Raises Hurdle, NoWay and StoreUnavailable."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                return await self._open(place)
        except TimeoutError:
            self._known.pop(place, None)
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.1", text="no host answered in time")) from None
        except BaseException:
            self._known.pop(place, None)
            raise

    async def _open(self, domain: str) -> Conversation:
        known = await self._found(domain)
        tries = 0
        problem = Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.1", text="no host could be reached"))
        for exchange in _in_turn(known.route.exchanges):
            try:
                host = await self._hosts.host(exchange.host, is_proven=known.route.is_proven)
                demand = await self._demand(domain, host, known.standing)
            except Hurdle as met:
                problem = met
                continue
            for address in host.addresses[: MOST_TRIES - tries]:
                tries += 1
                try:
                    return await self._open_at(address, host, demand, domain)
                except Hurdle as met:
                    problem = met
        raise problem

    async def _found(self, domain: str) -> _Known:
        now = self._clock()
        known = self._known.get(domain)
        if known is None or known.until <= now:
            route = await self._hosts.route(domain)
            least, most = KNOWN_FOR
            until = now + max(least, min(most, timedelta(seconds=route.seconds)))
            self._known = {name: one for name, one in self._known.items() if one.until > now}
            known = self._known[domain] = _Known(route, await self._standings.of(domain), until)
        return known

    async def _demand(self, domain: str, host: Host, standing: Standing) -> Demand:
        """Return what is demanded of a host. Raises Hurdle where it gets nothing."""
        demand = demand_on(host.name, standing, host.associations)
        if demand.level is Level.REFUSED:
            await self._note(domain, host, demand, demand.result)
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.7.5", text=_SHORT[demand.policy]), demand.result)
        return demand

    async def _open_at(self, address: str, host: Host, demand: Demand, domain: str) -> Conversation:
        if demand.level is Level.PLAIN and not self._hosts.is_private(address):
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.7.5", text="plain, and not in a private network"))
        problem = Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.1", text="the host could not be reached"))
        for level in self._levels(host, demand):
            try:
                conversation = await self._open_by(level, address, host, demand, domain)
            except Hurdle as met:
                problem = met
                if met.result is None:
                    break
                continue
            if demand.level is Level.OPPORTUNISTIC and level is Level.ENCRYPTED:
                self._softer[host.name] = self._clock() + SOFTER_FOR
            await self._succeeded(conversation, level, host, demand, domain, problem)
            return conversation
        if problem.result is not None:
            await self._note(domain, host, demand, problem.result)
        raise problem

    def _levels(self, host: Host, demand: Demand) -> Sequence[Level]:
        """Return what is tried with a host, the best first."""
        if demand.level is not Level.OPPORTUNISTIC:
            return (demand.level,)
        now = self._clock()
        return _OPPORTUNITIES[1 if self._softer.get(host.name, now) > now else 0 :]

    async def _open_by(self, level: Level, address: str, host: Host, demand: Demand, domain: str) -> Conversation:
        optional = demand.level is Level.OPPORTUNISTIC
        opening = Opening(
            address, self._port, self._helo, host.name, None, may_be_plain=optional, seconds=TRY_SECONDS
        )  # fmt: skip
        if level is Level.VERIFIED:
            opening = replace(opening, tls=self._tls.verified)
        elif level is not Level.PLAIN:
            opening = replace(opening, tls=self._tls.unverified, server_name=host.base)
        conversation = await open_conversation(opening)
        if conversation.greeted == self._helo or (
            conversation.is_with_ourselves and not self._hosts.is_private(address)
        ):
            conversation.drop()
            raise NoWay(GOES_ROUND)
        names = tuple(dict.fromkeys((host.base, domain, host.name)))
        if level is Level.DANE and not dane.is_named(conversation.chain, demand.associations, names, self._clock()):
            conversation.drop()
            unnamed = Delivery(DeliveryState.DELAYED, enhanced="4.7.5", text="its certificate is not the one in DNS")
            raise Hurdle(unnamed, ResultType.CERTIFICATE_NOT_TRUSTED)
        return conversation

    async def _succeeded(
        self, conversation: Conversation, level: Level, host: Host, demand: Demand, domain: str, before: Hurdle
    ) -> None:
        """Count a session that is open, and remember it where it is verified; an unencrypted one fell short."""
        result = demand.result
        if demand.policy is PolicyType.STS and before.result is not None:
            result = result or before.result
        if not conversation.is_encrypted:
            result = result or before.result or ResultType.STARTTLS_NOT_SUPPORTED
        verified = level in (Level.DANE, Level.VERIFIED) and conversation.is_encrypted
        try:
            await self._standings.note(domain, TlsOutcome(demand.policy, result, host.name), is_verified=verified)
        except BaseException:
            conversation.drop()
            raise
        known = self._known.get(domain)
        if verified and known is not None:
            self._known[domain] = replace(known, standing=replace(known.standing, had_verified=True))

    async def _note(self, domain: str, host: Host, demand: Demand, result: ResultType) -> None:
        await self._standings.note(domain, TlsOutcome(demand.policy, result, host.name), is_verified=False)


def _in_turn(exchanges: Sequence[Exchange]) -> Iterator[Exchange]:
    """Yield hosts by preference, those of one preference in any order (RFC 5321 section 5.1)."""
    for _, alike in groupby(exchanges, key=lambda one: one.preference):
        some = list(alike)
        random.shuffle(some)
        yield from some


_OPPORTUNITIES: Final = (Level.VERIFIED, Level.ENCRYPTED, Level.PLAIN)
_SHORT: Final = {
    PolicyType.TLSA: "the host's TLSA records are not to be had",
    PolicyType.STS: "the host is not one of the domain's policy",
    PolicyType.NONE: "the host's TLS falls short",
}
