"""SPF (RFC 7208): may a host send mail in the name of a domain? At most ten terms ask DNS, two of them in vain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeVar
from urllib.parse import quote

from gateway.domain.authentication import Result
from gateway.inbound.dns import Address, DnsAway, Questions

T = TypeVar("T")

MOST_TERMS: Final = 10
MOST_IN_VAIN: Final = 2
MOST_HOSTS: Final = 10
MOST_OCTETS: Final = 4096
_DEEPEST: Final = MOST_TERMS + 1

_VERSION: Final = b"v=spf1"
_TERM: Final = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::(\S*?))?((?:/[0-9]*)?(?://[0-9]*)?)\Z", re.IGNORECASE
)
_IP_TERM: Final = re.compile(r"([+?~-]?)(ip4|ip6):(\S+)\Z", re.IGNORECASE)
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(\S*)\Z")
_CIDR: Final = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_MACRO: Final = re.compile(r"%(?:\{([slodiphcrtv])([0-9]{0,3})(r?)([.+,/_=-]*)\}|(%)|(_)|(-)|)", re.IGNORECASE)
_RESULTS: Final = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}
_BITS: Final = {4: 32, 6: 128}
_TOP: Final = re.compile(r"(?=[^.]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\Z")
_LABEL: Final = 63
_NAME: Final = 253


@dataclass(frozen=True, slots=True)
class Sending:
    """Who sends: the peer's address, the HELO name, and the envelope's sender ("" for the null sender)."""

    address: Address
    helo: str
    sender: str

    @property
    def identity(self) -> tuple[str, str]:
        """The local part and the domain that are checked: those of the HELO name for the null sender."""
        local, _, domain = self.sender.rpartition("@")
        return (local or "postmaster", domain) if domain else ("postmaster", self.helo)


def sending_of(address: str, helo: str, sender: str) -> Sending | None:
    """Return who sends, None where the address is none that a record could name."""
    try:
        return Sending(ip_address(address.partition("%")[0]), helo, sender)
    except ValueError:
        return None


class _Broken(Exception):
    """The record, or one that it names, is not one (permerror)."""


async def check(questions: Questions, sending: Sending) -> Result:
    """Return the result of `check_host()` (RFC 7208 section 4). Records may ask for the name of a peer's address by the
    macro `p`, and get `unknown`, as section 7.3 advises.
    """
    look = _Look(questions, sending)
    try:
        return await look.host(sending.identity[1], 0)
    except DnsAway:
        return Result.TEMPERROR
    except _Broken:
        return Result.PERMERROR


class _Look:
    """One evaluation, with what it has left."""

    def __init__(self, questions: Questions, sending: Sending) -> None:
        self._ask = questions
        self._sending = sending
        address = sending.address
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        self._address: Address = mapped or address
        self._terms = MOST_TERMS
        self._in_vain = MOST_IN_VAIN

    async def host(self, domain: str, depth: int) -> Result:
        """Evaluate a domain's record."""
        if not _is_name(domain):
            return Result.NONE
        found = [text for text in await self._ask.texts(domain) if text.lower().split(b" ")[0] == _VERSION]
        if not found:
            return Result.NONE
        if len(found) > 1 or len(found[0]) > MOST_OCTETS or not found[0].isascii() or depth > _DEEPEST:
            raise _Broken
        terms = found[0].decode("ascii").split(" ")[1:]
        return await self._evaluate([term for term in terms if term], domain, depth)

    async def _evaluate(self, terms: list[str], domain: str, depth: int) -> Result:
        mechanisms, redirect = _parse(terms)
        for sign, kind, value, cidr in mechanisms:
            if await self._matches(kind, value, cidr, domain, depth):
                return _RESULTS[sign or "+"]
        if redirect is None:
            return Result.NEUTRAL
        self._spend()
        result = await self.host(await self._expand(redirect, domain), depth + 1)
        if result is Result.NONE:
            raise _Broken
        return result

    async def _matches(self, kind: str, value: str | None, cidr: tuple[int, int], domain: str, depth: int) -> bool:
        if kind == "all":
            return True
        if kind in {"ip4", "ip6"}:
            network = ip_network(value or "", strict=False)
            return network.version == self._address.version and self._address in network
        self._spend()
        target = domain if value is None else await self._expand(value, domain)
        if kind == "include":
            result = await self.host(target, depth + 1)
            if result is Result.NONE:
                raise _Broken
            return result is Result.PASS
        if kind == "exists":
            return bool(self._counted(await self._addresses(target, 4)))
        if kind == "ptr":
            return await self._is_named(target)
        bits = cidr[0] if self._address.version == 4 else cidr[1]
        return any(self._is_in(one, bits) for one in await self._hosts(kind, target))

    async def _hosts(self, kind: str, target: str) -> list[Address]:
        version = self._address.version
        if kind == "a":
            return self._counted(await self._addresses(target, version))
        exchanges = self._counted(await self._ask.exchanges(target) if _is_name(target) else [])
        if len(exchanges) > MOST_HOSTS:
            raise _Broken
        found: list[Address] = []
        for exchange in exchanges:
            found += await self._addresses(exchange, version)
        return found

    async def _is_named(self, target: str) -> bool:
        """Tell whether a name of the peer's that leads back to it is in a domain."""
        try:
            names = self._counted(await self._ask.names(self._address))[:MOST_HOSTS]
            for name in names:
                inside = name == target.lower() or name.endswith(f".{target.lower()}")
                if inside and self._address in await self._addresses(name, self._address.version):
                    return True
        except DnsAway:
            return False  # RFC 7208 section 5.5
        return False

    async def _addresses(self, name: str, version: int) -> list[Address]:
        return await self._ask.addresses(name, version) if _is_name(name) else []

    def _is_in(self, one: Address, bits: int) -> bool:
        return self._address in ip_network(f"{one}/{bits}", strict=False)

    def _spend(self) -> None:
        if not self._terms:
            raise _Broken
        self._terms -= 1

    def _counted(self, found: list[T]) -> list[T]:
        if not found:
            if not self._in_vain:
                raise _Broken
            self._in_vain -= 1
        return found

    async def _expand(self, text: str, domain: str) -> str:
        """Return a domain-spec with its macros in place (RFC 7208 section 7), its left labels cut where it is long."""
        pieces: list[str] = []
        at = 0
        for one in _MACRO.finditer(text):
            if not any(one.groups()):
                raise _Broken
            pieces.append(text[at : one.start()])
            at = one.end()
            pieces.append("%" if one[5] else " " if one[6] else "%20" if one[7] else self._macro(one, domain))
        name = "".join([*pieces, text[at:]]).rstrip(".")
        while len(name) > _NAME and "." in name:
            name = name.partition(".")[2]
        return name

    def _macro(self, one: re.Match[str], domain: str) -> str:
        letter, digits, reverse, delimiters = one[1], one[2], one[3], one[4]
        if letter.lower() in "crt" or digits == "0":
            raise _Broken  # of an explanation alone
        parts = re.split(f"[{re.escape(delimiters or '.')}]", self._value(letter.lower(), domain))
        if reverse:
            parts.reverse()
        value = ".".join(parts[-int(digits) :] if digits else parts)
        return quote(value, safe="-._~") if letter.isupper() else value

    def _value(self, letter: str, domain: str) -> str:
        local, of = self._sending.identity
        if letter == "i" and isinstance(self._address, IPv6Address):
            return ".".join(self._address.exploded.replace(":", ""))
        return {
            "s": f"{local}@{of}",
            "l": local,
            "o": of,
            "d": domain,
            "i": str(self._address),
            "p": "unknown",
            "v": "in-addr" if isinstance(self._address, IPv4Address) else "ip6",
            "h": self._sending.helo,
        }[letter]


_Mechanism = tuple[str, str, str | None, tuple[int, int]]


def _parse(terms: list[str]) -> tuple[list[_Mechanism], str | None]:
    """Return the mechanisms and the redirection of a record; all of it must be right before any of it counts."""
    mechanisms: list[_Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in terms:
        if modifier := _MODIFIER.match(term):
            name = modifier[1].lower()
            if name in {"redirect", "exp"}:
                if name in modifiers:
                    raise _Broken
                _check_domain(modifier[2])
            else:
                _check_macros(modifier[2], strict=False)
            modifiers[name] = modifier[2]
        else:
            mechanisms.append(_mechanism(term))
    has_all = any(kind == "all" for _, kind, _, _ in mechanisms)
    return mechanisms, None if has_all else modifiers.get("redirect")


def _mechanism(term: str) -> _Mechanism:
    if ip := _IP_TERM.match(term):
        return ip[1], ip[2].lower(), _network(ip[2].lower(), ip[3]), (0, 0)
    found = _TERM.match(term)
    if found is None:
        raise _Broken
    sign, kind, value, rest = found[1], found[2].lower(), found[3], found[4]
    cidr = _CIDR.match(rest)
    takes_cidr, takes_value, needs_value = kind in {"a", "mx"}, kind != "all", kind in {"include", "exists"}
    if cidr is None or (rest and not takes_cidr) or (needs_value and not value) or value == "":
        raise _Broken
    if kind in {"ip4", "ip6"} or (value is not None and not takes_value):
        raise _Broken
    _check_domain(value)
    bits = (int(cidr[1]) if cidr[1] else 32, int(cidr[2]) if cidr[2] else 128)
    if bits[0] > _BITS[4] or bits[1] > _BITS[6]:
        raise _Broken
    return sign, kind, value, bits


def _network(kind: str, value: str) -> str:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise _Broken from None
    length = value.partition("/")[2]
    if network.version != int(kind[2]) or ("/" in value and (not length.isdigit() or str(int(length)) != length)):
        raise _Broken
    return value


def _check_domain(value: str | None) -> None:
    """Raise _Broken unless a domain-spec ends in a label that can be one of the top, or in a macro."""
    if value is None:
        return
    _check_macros(value, strict=True)
    rest, dot, last = value.removesuffix(".").rpartition(".")
    if not value.endswith("}") and (not rest or not dot or not _TOP.match(last)):
        raise _Broken


def _check_macros(value: str, *, strict: bool) -> None:
    for one in _MACRO.finditer(value):
        if not any(one.groups()) or (strict and one[1] and (one[1].lower() in "crt" or one[2] == "0")):
            raise _Broken


def _is_name(domain: str) -> bool:
    labels = domain.rstrip(".").split(".")
    return len(labels) > 1 and len(domain) <= _NAME + 1 and all(0 < len(label) <= _LABEL for label in labels)
