"""SPF held to the text of RFC 7208, and on random records to another implementation of it, pyspf."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

import pytest
import spf
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.authentication import Result
from gateway.inbound.dns import DnsAway
from gateway.inbound.spf import Sending, check

Zone = dict[str, list[tuple[str, Any]]]
"""Names, each with its records: kind and value; an MX record is (preference, host), AWAY stands for no answer."""

AWAY: Final = "no answer"
HOST: Final = "192.0.2.7"
SIX: Final = "2001:db8::7"


class Answers:
    """Answers from a zone, as `Questions` gives them."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    async def texts(self, of: str) -> list[bytes]:
        return [str(one).encode() for one in self._records(of, "TXT")]

    async def addresses(self, of: str, version: int) -> list[IPv4Address | IPv6Address]:
        return [ip_address(one) for one in self._records(of, "A" if version == 4 else "AAAA")]

    async def exchanges(self, of: str) -> list[str]:
        return [host for _, host in sorted(self._records(of, "MX"))]

    async def names(self, of: IPv4Address | IPv6Address) -> list[str]:
        return [str(one) for one in self._records(of.reverse_pointer, "PTR")]

    def _records(self, of: str, kind: str) -> list[Any]:
        found = [value for its_kind, value in self._zone.get(of.lower().rstrip("."), []) if its_kind == kind]
        if AWAY in found:
            raise DnsAway
        return found


async def judge(zone: Zone, sender: str = "ines@tours.test", host: str = HOST, helo: str = "mail.tours.test") -> Result:
    return await check(Answers(zone), Sending(ip_address(host), helo, sender))  # type: ignore[arg-type]


def record(text: str) -> Zone:
    return {"tours.test": [("TXT", text)]}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("v=spf1 ip4:192.0.2.7 -all", "pass"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:192.0.2.8 -all", "fail"),
        ("v=spf1 ip4:192.0.2.8 ~all", "softfail"),
        ("v=spf1 ip4:192.0.2.8 ?all", "neutral"),
        ("v=spf1 ip4:192.0.2.8", "neutral"),
        ("v=spf1", "neutral"),
        ("V=SPF1 +IP4:192.0.2.7 -ALL", "pass"),
        ("v=spf1  ip4:192.0.2.7   -all ", "pass"),
        ("v=spf1 -ip4:192.0.2.7 +all", "fail"),
        ("v=spf1 -all ip4:192.0.2.7", "fail"),
        ("v=spf10 -all", "none"),
        ("v=spf1-all", "none"),
        (" v=spf1 -all", "none"),
        ("v=spf1 ip4:192.0.2.7/33 -all", "permerror"),
        ("v=spf1 ip4:192.0.2.7/024 -all", "permerror"),
        ("v=spf1 ip4:192.0.2 -all", "permerror"),
        ("v=spf1 ip4 -all", "permerror"),
        ("v=spf1 ip4:2001:db8::7 -all", "permerror"),
        ("v=spf1 ip6:192.0.2.7 -all", "permerror"),
        ("v=spf1 ip4:192.0.2.7 -all nonsense", "permerror"),
        ("v=spf1 all:tours.test", "permerror"),
        ("v=spf1 all/8", "permerror"),
        ("v=spf1 include -all", "permerror"),
        ("v=spf1 include: -all", "permerror"),
        ("v=spf1 exists -all", "permerror"),
        ("v=spf1 a: -all", "permerror"),
        ("v=spf1 a/33 -all", "permerror"),
        ("v=spf1 a//129 -all", "permerror"),
        ("v=spf1 a:toplevel -all", "permerror"),
        ("v=spf1 a:tours.123 -all", "permerror"),
        ("v=spf1 exists:%{q}.tours.test -all", "permerror"),
        ("v=spf1 exists:%{i0}.tours.test -all", "permerror"),
        ("v=spf1 exists:%(i).tours.test -all", "permerror"),
        ("v=spf1 exists:%{c}.tours.test -all", "permerror"),
        ("v=spf1 redirect=a.test redirect=b.test", "permerror"),
        ("v=spf1 exp=a.test exp=b.test -all", "permerror"),
        ("v=spf1 redirect= ", "permerror"),
        ("v=spf1 ip4:192.0.2.7 unknown-modifier=whatever -all", "pass"),
        ("v=spf1 9bad=x ip4:192.0.2.7 -all", "permerror"),
        ("v=spf1 ip4:192.0.2.7 -all \xe9", "permerror"),
        ("v=spf1 redirect=nowhere.test -all", "fail"),
        ("v=spf1 redirect=nowhere.test", "permerror"),
        ("v=spf1 include:nowhere.test -all", "permerror"),
    ],
)
async def test_a_record_alone(text: str, result: str) -> None:
    assert await judge(record(text)) is Result(result)


WITH_HOSTS: Final[Zone] = {
    "mail.test": [("A", "192.0.2.99"), ("A", HOST), ("AAAA", SIX)],
    "near.test": [("A", "192.0.2.99"), ("AAAA", "2001:db8::99")],
    "far.test": [("A", "198.51.100.1"), ("AAAA", "2001:db9::1")],
    "post.test": [("MX", (20, "mail.test")), ("MX", (10, "far.test"))],
    "null.test": [("MX", (0, "."))],
    "many.test": [("MX", (number, f"host{number}.test")) for number in range(11)],
    "7.2.0.192.in-addr.arpa": [("PTR", "mail.test"), ("PTR", "liar.test")],
    "liar.test": [("A", "198.51.100.2")],
    "passes.test": [("TXT", "v=spf1 ip4:192.0.2.7 -all")],
    "fails.test": [("TXT", "v=spf1 -all")],
    "broken.test": [("TXT", "v=spf1 nonsense")],
    "twice.test": [("TXT", "v=spf1 -all"), ("TXT", "v=spf1 +all"), ("TXT", "other")],
    "once.test": [("TXT", "something else"), ("TXT", "v=spf1 ip4:192.0.2.7 -all")],
    "away.test": [("TXT", AWAY), ("A", AWAY)],
    "round.test": [("TXT", "v=spf1 include:round.test -all")],
    "ines.tours.test": [("A", "127.0.0.2")],
    "7.2.0.192.in-addr.seen.test": [("A", "127.0.0.2")],
    "192.0.2.7.v.test": [("A", "127.0.0.2")],
    "tours.last.test": [("A", "127.0.0.2")],
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("v=spf1 a:mail.test -all", "pass"),
        ("v=spf1 a:near.test -all", "fail"),
        ("v=spf1 a:near.test/24 -all", "pass"),
        ("v=spf1 a:far.test/24 -all", "fail"),
        ("v=spf1 a:far.test/0 -all", "pass"),
        ("v=spf1 mx:post.test -all", "pass"),
        ("v=spf1 mx:null.test -all", "fail"),
        ("v=spf1 mx:many.test -all", "permerror"),
        ("v=spf1 ptr:mail.test -all", "pass"),
        ("v=spf1 ptr:test -all", "permerror"),
        ("v=spf1 ptr:liar.test -all", "fail"),
        ("v=spf1 exists:mail.test -all", "pass"),
        ("v=spf1 exists:nowhere.test -all", "fail"),
        ("v=spf1 include:passes.test -all", "pass"),
        ("v=spf1 include:fails.test ?all", "neutral"),
        ("v=spf1 -include:passes.test +all", "fail"),
        ("v=spf1 include:broken.test +all", "permerror"),
        ("v=spf1 include:away.test +all", "temperror"),
        ("v=spf1 ip4:192.0.2.7 include:away.test", "pass"),
        ("v=spf1 a:away.test +all", "temperror"),
        ("v=spf1 include:twice.test +all", "permerror"),
        ("v=spf1 include:once.test -all", "pass"),
        ("v=spf1 include:round.test -all", "permerror"),
        ("v=spf1 redirect=passes.test", "pass"),
        ("v=spf1 redirect=fails.test", "fail"),
        ("v=spf1 redirect=broken.test", "permerror"),
        ("v=spf1 exists:%{l}.%{o} -all", "pass"),
        ("v=spf1 exists:%{ir}.%{v}.seen.test -all", "pass"),
        ("v=spf1 exists:%{i}.v.test -all", "pass"),
        ("v=spf1 exists:%{d1r}.last.test -all", "pass"),
        ("v=spf1 exists:%{d1}.last.test -all", "fail"),
        ("v=spf1" + " a:far.test" * 10 + " +all", "pass"),
        ("v=spf1" + " a:far.test" * 11 + " +all", "permerror"),
        ("v=spf1 a:no1.test a:no2.test +all", "pass"),
        ("v=spf1 a:no1.test a:no2.test a:no3.test +all", "permerror"),
    ],
)
async def test_a_record_that_asks(text: str, result: str) -> None:
    assert await judge({**WITH_HOSTS, **record(text)}) is Result(result)


async def test_an_address_of_ip_6_is_compared_with_its_kind() -> None:
    zone = {**WITH_HOSTS, **record("v=spf1 ip4:192.0.2.0/24 a:mail.test//64 -all")}
    assert await judge(zone, host=SIX) is Result.PASS
    assert await judge({**WITH_HOSTS, **record("v=spf1 a:far.test//64 -all")}, host=SIX) is Result.FAIL
    assert await judge(zone, host=f"::ffff:{HOST}") is Result.PASS, "IP 4 in the clothes of IP 6"


async def test_the_null_sender_is_judged_by_the_helo_name() -> None:
    zone: Zone = {"mail.tours.test": [("TXT", "v=spf1 ip4:192.0.2.7 -all")]}
    assert await judge(zone, sender="") is Result.PASS
    assert await judge(zone, sender="", host="192.0.2.8") is Result.FAIL


@pytest.mark.parametrize("domain", ["nowhere.test", "single", "a..test", "x" * 64 + ".test", "[192.0.2.7]"])
async def test_a_domain_without_record_says_nothing(domain: str) -> None:
    assert await judge({}, sender=f"ines@{domain}") is Result.NONE


NAMES: Final = ("a.test", "b.test", "c.test", "tours.test")
TARGETS: Final = st.sampled_from(
    (*NAMES, "no.test", "%{o}", "%{l}.test", "%{d2}", "%{dr}.test", "%{ir}.test", "%%.test", "%{x}.test", "top")
)
CIDR: Final = st.sampled_from(("", "", "/24", "/33", "//64", "/24//64", "/0"))
TERMS: Final = st.one_of(
    st.sampled_from(("all", "ip4:192.0.2.7", "ip4:192.0.2.0/25", "ip4:198.51.100.1", "ip6:2001:db8::/32", "ip4:x")),
    st.builds("include:{}".format, TARGETS),
    st.builds("exists:{}".format, TARGETS),
    st.builds("a{}".format, CIDR),
    st.builds("mx{}".format, CIDR),
    st.builds("a:{}{}".format, TARGETS, CIDR),
    st.builds("mx:{}{}".format, TARGETS, CIDR),
    st.builds("redirect={}".format, TARGETS),
    st.just("unknown=x"),
)
TEXTS: Final = st.lists(st.builds("{}{}".format, st.sampled_from(("", "", "-", "~", "?", "+")), TERMS), max_size=5)
SPF_RECORD: Final = st.tuples(st.just("TXT"), TEXTS.map(lambda terms: " ".join(("v=spf1", *terms))))
OTHER_RECORD: Final = st.one_of(
    st.tuples(st.just("A"), st.sampled_from((HOST, "192.0.2.200", "198.51.100.1"))),
    st.tuples(st.just("AAAA"), st.sampled_from((SIX, "2001:db9::1"))),
    st.tuples(st.just("MX"), st.tuples(st.integers(0, 3), st.sampled_from(NAMES))),
)
RECORDS: Final = st.builds(
    lambda one, others: [one, *others], SPF_RECORD, st.lists(OTHER_RECORD, max_size=4, unique_by=str)
)


@given(zone=st.fixed_dictionaries(dict.fromkeys(NAMES, RECORDS)), host=st.sampled_from((HOST, SIX)))
async def test_random_records_are_judged_as_by_pyspf(zone: Zone, host: str) -> None:
    theirs = Result(of_pyspf(zone, host))
    # It also counts as in vain what the hosts of an MX record are asked, and takes other modifiers once only.
    assert await judge(zone, host=host) is theirs or theirs is Result.PERMERROR


def of_pyspf(zone: Zone, host: str) -> str:
    def look_up(name: str, kind: str, *_: object, **__: object) -> Iterator[tuple[tuple[str, str], Any]]:
        for its_kind, value in zone.get(name.lower().rstrip("."), []):
            if its_kind == kind:
                yield (name, kind), _as_dnspython_says(kind, value)

    before, spf.DNSLookup = spf.DNSLookup, look_up
    try:
        return str(spf.query(host, "ines@tours.test", "mail.tours.test").check()[0])
    finally:
        spf.DNSLookup = before


def _as_dnspython_says(kind: str, value: Any) -> Any:
    if kind == "TXT":
        return (value.encode(),)
    return ip_address(value).packed if kind == "AAAA" else value
