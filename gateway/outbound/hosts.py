"""Which hosts take a domain's mail, and at which addresses (RFC 5321 section 5.1, RFC 7505).

Only addresses of the public Internet, and those of networks that the site has named, are gone to: what DNS says is a
stranger's word. A host with one of our own names, and every host after it, is left out, so that no mail goes round.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from itertools import zip_longest
from typing import Final

from gateway.config.settings import Networks
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.outbound.conversation import Hurdle, NoWay
from gateway.outbound.names import Association, Exchange, Found, Names, NamesAway, NoSuchName, is_host

MOST_ADDRESSES: Final = 8


@dataclass(frozen=True, slots=True)
class Route:
    """The hosts of a domain, the preferred first. `is_proven` where DNSSEC vouches for that; good for `seconds`."""

    exchanges: tuple[Exchange, ...]
    is_proven: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class Host:
    """One host: `base` is where its aliases end when that is proven, and what a certificate is asked by (RFC 7672
    section 2.1.3). `associations` are its proven TLSA records, None where no answer could be had.
    """

    name: str
    base: str
    addresses: tuple[str, ...]
    associations: tuple[Association, ...] | None


class HostFinder:
    """Finds hosts by DNS."""

    def __init__(self, names: Names, own_names: frozenset[str], networks: Networks, port: int) -> None:
        self._names = names
        self._own_names = own_names
        self._networks = networks
        self._port = port

    async def route(self, domain: str) -> Route:
        """Return where a domain's mail goes. Raises NoWay and Hurdle."""
        try:
            found = await self._names.exchanges(domain)
        except NoSuchName:
            raise NoWay(Delivery(DeliveryState.FAILED, enhanced="5.1.2", text="there is no such mail domain")) from None
        except NamesAway:
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.3", text=_NO_ANSWER)) from None
        if not found.records:
            return self._without_ourselves(Route((Exchange(0, domain),), found.is_proven, 0))
        if all(not one.host for one in found.records):
            none = Delivery(DeliveryState.FAILED, enhanced="5.1.10", text="the domain takes no mail")
            raise NoWay(none)
        named = sorted((one for one in found.records if is_host(one.host)), key=lambda one: one.preference)
        if not named:
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.4", text="the domain names no host that can be"))
        return self._without_ourselves(Route(tuple(named), found.is_proven, found.seconds))

    async def host(self, name: str, *, is_proven: bool) -> Host:
        """Return a host with its addresses, and its TLSA records where the way to it is proven. Raises Hurdle."""
        try:
            found = await self._addresses(name)
        except NamesAway:
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.3", text=_NO_ANSWER)) from None
        addresses = tuple(one for one in found.records if self.is_reachable(one))
        if not addresses:
            nowhere = "the host has no address" if not found.records else "the host has no address that is gone to"
            raise Hurdle(Delivery(DeliveryState.DELAYED, enhanced="4.4.4", text=nowhere))
        if not (is_proven and found.is_proven):
            return Host(name, name, addresses, ())
        bases = dict.fromkeys((found.name, name))
        for base in bases:
            try:
                records = (await self._associations(base)).records
            except NamesAway:
                return Host(name, base, addresses, None)
            if records:
                return Host(name, base, addresses, records)
        return Host(name, name, addresses, ())

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a host that may be gone to. Raises NamesAway."""
        return tuple(one for one in (await self._addresses(name)).records if self.is_reachable(one))

    def is_reachable(self, address: str) -> bool:
        """Tell whether an address is of the public Internet, or of a network the site has named."""
        one = ip_address(address)
        return self.is_private(address) or (one.is_global and not one.is_multicast)

    def is_private(self, address: str) -> bool:
        """Tell whether an address is of a network that the site has named as its own."""
        one = ip_address(address)
        return any(one in network for network in self._networks)

    async def _addresses(self, name: str) -> Found[str]:
        """Return addresses of both families by turns, those of IPv6 first. Raises NamesAway where neither is known."""
        answers: list[Found[str]] = []
        for kind in ("AAAA", "A"):
            try:
                answers.append(await self._names.addresses(name, kind))
            except NamesAway:
                continue
        good = [one for one in answers if one.records]
        if not good and len(answers) < 2:
            raise NamesAway
        turns = zip_longest(*(one.records for one in good))
        mixed = tuple(one for pair in turns for one in pair if one is not None)
        proven = bool(good) and all(one.is_proven for one in good)
        return Found(mixed[:MOST_ADDRESSES], good[0].name if good else name, proven)

    async def _associations(self, base: str) -> Found[Association]:
        found = await self._names.associations(base, self._port)
        return found if found.is_proven else Found((), found.name)

    def _without_ourselves(self, route: Route) -> Route:
        """Leave out our own names and what stands behind them (RFC 5321 section 5.1). Raises NoWay."""
        ours = [one.preference for one in route.exchanges if one.host in self._own_names]
        if not ours:
            return route
        left = tuple(one for one in route.exchanges if one.preference < min(ours))
        if not left:
            raise NoWay(GOES_ROUND)
        return Route(left, route.is_proven, route.seconds)


GOES_ROUND: Final = Delivery(DeliveryState.FAILED, enhanced="5.4.6", text="its mail host is this gateway itself")
_NO_ANSWER: Final = "the domain's name servers do not answer"
