"""What `gateway doctor dns` says of a site, by a name server and a policy host of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.config import Settings, load
from gateway.domain.errors import Malformed
from gateway.findings import State
from gateway.outbound.dkim_keys import Algorithm, KeyFolder, KeyState
from gateway.publication.examination import examine
from gateway.publication.report import Report, Standing
from tests.nameserver import nameserver
from tests.relay import Certificate

DOMAIN = "secure.example.gov"
DOOR = f"mx.{DOMAIN}"
ADDRESS = "9.9.9.9"
NOW = datetime.now(UTC)
Zone = dict[tuple[str, str], list[str]]
CONFIG = """
[site]
name = "Site"
domain = "{domain}"
portal_url = "https://portal.example.gov/"
environment = "trial"

[mx]
position = "first-hop"
hostname = "mx.{domain}"
certificate = "mx.{domain}.pem"
key = "mx.{domain}.key"

[notifier]
hostname = "out.{domain}"
sender = "{sender}"

[notifier.dkim]
domain = "{domain}"

[notifier.direct]
policy_port = {policy_port}
ca_file = "mta-sts.{domain}.pem"
"""


class Place:
    """A site's folder, with a zone that has all it needs, and the policy that its policy host serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.door = Certificate(folder, DOOR)
        self.host = Certificate(folder, f"mta-sts.{DOMAIN}")
        self.policy = f"version: STSv1\nmode: enforce\nmx: {DOOR}\nmax_age: 604800\n"
        self.sender = f"notices@{DOMAIN}"
        self.keys = KeyFolder(folder / "keys" / "dkim", DOMAIN)
        for algorithm in Algorithm:
            self.keys.take(f"gw-{algorithm}", made(algorithm), NOW)
            self.keys.mark(f"gw-{algorithm}", KeyState.PUBLISHED, NOW)
            self.keys.activate(f"gw-{algorithm}", NOW)
        self.zone: Zone = {
            (DOMAIN, "TXT"): [f'"v=spf1 ip4:{ADDRESS} -all"', '"something else"'],
            (DOMAIN, "MX"): [f"10 {DOOR}."],
            (DOOR, "A"): ["8.8.8.8"],
            (f"_dmarc.{DOMAIN}", "TXT"): [f'"v=DMARC1; p=reject; rua=mailto:postmaster@{DOMAIN}"'],
            (f"out.{DOMAIN}", "A"): [ADDRESS],
            ("9.9.9.9.in-addr.arpa", "PTR"): [f"out.{DOMAIN}."],
            (f"_mta-sts.{DOMAIN}", "TXT"): ['"v=STSv1; id=20261122"'],
            (f"mta-sts.{DOMAIN}", "A"): ["127.0.0.1"],
            (f"_smtp._tls.{DOMAIN}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:postmaster@{DOMAIN}"'],
            (f"_25._tcp.{DOOR}", "TLSA"): [f"3 1 1 {self.digest()}"],
            **{(one.record.name, "TXT"): [one.record.value] for one in self.keys.all()},
        }

    def digest(self) -> str:
        key = x509.load_pem_x509_certificate(self.door.path.read_bytes()).public_key()
        return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    def settings(self, policy_port: int) -> Settings:
        file = self.folder / "gateway.toml"
        file.write_text(CONFIG.format(domain=DOMAIN, policy_port=policy_port, sender=self.sender), "utf-8")
        return load(file)

    async def look(self, *silent: str, vouches: bool = True, addresses: tuple[str, ...] = (ADDRESS,)) -> Report:
        async with nameserver(self.zone, frozenset(silent)) as server, policy_host(self) as port:
            server.vouches = vouches
            return await examine(self.settings(port), f"{server.place[0]}:{server.place[1]}", addresses)


@cache
def made(algorithm: Algorithm) -> bytes:
    key = generate_private_key(65537, 2048) if algorithm is Algorithm.RSA else Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@asynccontextmanager
async def policy_host(place: Place) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = place.policy.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=place.host.server_context())
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def told(report: Report, name: str) -> list[tuple[State, str]]:
    return [(one.state, one.found) for one in report.findings if one.name == name]


def states(report: Report) -> dict[str, State]:
    return {one.name: one.state for one in report.findings}


def standing(report: Report, name: str, kind: str = "TXT") -> list[Standing]:
    return [how for one, how in report.records.items() if (one.name, one.kind) == (name, kind)]


async def test_a_site_that_says_all_it_needs_has_nothing_to_put_right(place: Place) -> None:
    report = await place.look()
    assert set(states(report).values()) == {State.OK}, report.findings
    assert set(states(report)) == {
        "SPF", "DKIM gw-rsa", "DKIM gw-ed25519", "DMARC", "alignment", "reverse DNS", "MX", "MTA-STS", "TLS reports",
        f"DANE {DOOR}",
    }  # fmt: skip
    assert {how for one, how in report.records.items() if one.kind != "CNAME"} == {Standing.THERE}


@pytest.mark.parametrize(
    ("name", "kind", "records", "finding", "state", "words"),
    [
        (DOMAIN, "TXT", [], "SPF", State.PROBLEM, "has no record"),
        (DOMAIN, "TXT", ['"v=spf1 -all"', '"v=spf1 ?all"'], "SPF", State.PROBLEM, "has 2 records"),
        (DOMAIN, "TXT", ['"v=spf1 ip4:1.1.1.1 -all"'], "SPF", State.PROBLEM, f"does not let {ADDRESS} send"),
        (DOMAIN, "TXT", ['"v=spf1 +all"'], "SPF", State.PROBLEM, "lets anybody send"),
        (DOMAIN, "TXT", ['"v=spf1 nonsense:x -all"'], "SPF", State.PROBLEM, "does not let"),
        ("gw-rsa._domainkey." + DOMAIN, "TXT", [], "DKIM gw-rsa", State.PROBLEM, "has no TXT record"),
        ("gw-rsa._domainkey." + DOMAIN, "TXT", ['"v=DKIM1; p="'], "DKIM gw-rsa", State.PROBLEM, "is revoked"),
        ("gw-rsa._domainkey." + DOMAIN, "TXT", ['"v=DKIM1; p=AAAA"'], "DKIM gw-rsa", State.PROBLEM, "another key"),
        (f"_dmarc.{DOMAIN}", "TXT", [], "DMARC", State.PROBLEM, "has a policy"),
        (f"_dmarc.{DOMAIN}", "TXT", ['"v=DMARC1; p=none; rua=mailto:a@b"'], "DMARC", State.WARNING, "p=none"),
        (f"_dmarc.{DOMAIN}", "TXT", ['"v=DMARC1; p=reject; pct=20"'], "DMARC", State.WARNING, "20 %"),
        (f"_dmarc.{DOMAIN}", "TXT", ['"v=DMARC1; p=maybe"'], "DMARC", State.PROBLEM, "no one record"),
        (f"_dmarc.{DOMAIN}", "TXT", ['"v=DMARC1; p=reject"', '"v=DMARC1"'], "DMARC", State.PROBLEM, "no one"),
        (f"out.{DOMAIN}", "A", ["1.1.1.1"], "reverse DNS", State.PROBLEM, "which has not that address"),
        ("9.9.9.9.in-addr.arpa", "PTR", [], "reverse DNS", State.PROBLEM, "has no name"),
        ("9.9.9.9.in-addr.arpa", "PTR", [f"{DOOR}."], "reverse DNS", State.PROBLEM, "has not that address"),
        (DOMAIN, "MX", [], "MX", State.PROBLEM, "has no MX record"),
        (DOMAIN, "MX", ["0 ."], "MX", State.PROBLEM, "takes no mail"),
        (DOOR, "A", [], "MX", State.PROBLEM, "has no address"),
        (DOOR, "A", ["10.0.0.1"], "MX", State.PROBLEM, "has no public address"),
        (DOOR, "CNAME", ["x.example.gov."], "MX", State.PROBLEM, "is another name"),
        (DOMAIN, "MX", ["10 other.example.gov."], "MTA-STS", State.PROBLEM, "leaves out other.example.gov"),
        (f"_mta-sts.{DOMAIN}", "TXT", [], "MTA-STS", State.OFF, "has no policy"),
        (f"_mta-sts.{DOMAIN}", "TXT", ['"v=STSv1;"'], "MTA-STS", State.PROBLEM, "no one record with an id"),
        (f"mta-sts.{DOMAIN}", "A", [], "MTA-STS", State.PROBLEM, "has no address"),
        (f"_smtp._tls.{DOMAIN}", "TXT", [], "TLS reports", State.OFF, "asks for none"),
        (f"_smtp._tls.{DOMAIN}", "TXT", ['"v=TLSRPTv1; rua=ftp:x"'], "TLS reports", State.PROBLEM, "with an address"),
        (f"_25._tcp.{DOOR}", "TLSA", [], f"DANE {DOOR}", State.OFF, "no TLSA record"),
        (f"_25._tcp.{DOOR}", "TLSA", [f"3 1 1 {'00' * 32}"], f"DANE {DOOR}", State.PROBLEM, "do not fit"),
    ],
)  # fmt: skip
async def test_each_thing_that_is_not_as_it_should_be_is_told(
    place: Place, name: str, kind: str, records: list[str], finding: str, state: State, words: str
) -> None:
    place.zone[name, kind] = records
    report = await place.look()
    assert [found for how, found in told(report, finding) if how is state and words in found], report.findings


@pytest.mark.parametrize(
    ("policy", "state", "words"),
    [
        ("", State.PROBLEM, "is no policy"),
        (f"version: STSv1\nmode: testing\nmx: {DOOR}\nmax_age: 9999\n", State.WARNING, "says testing"),
        ("version: STSv1\nmode: none\nmax_age: 9999\n", State.OFF, "says none"),
        ("x" * 70_000, State.PROBLEM, "is no policy"),
    ],
)
async def test_the_policy_is_fetched_and_held_to_the_hosts(place: Place, policy: str, state: State, words: str) -> None:
    place.policy = policy
    ((how, found),) = told(await place.look(), "MTA-STS")
    assert (how, words in found) == (state, True)


async def test_a_policy_host_with_a_certificate_of_another_is_told(place: Place) -> None:
    place.host = Certificate(place.folder, "elsewhere.example")
    ((how, found),) = told(await place.look(), "MTA-STS")
    assert how is State.PROBLEM
    assert "certificate" in found


async def test_tlsa_without_dnssec_is_a_warning(place: Place) -> None:
    assert states(await place.look(vouches=False))[f"DANE {DOOR}"] is State.WARNING


async def test_alignment_is_strict_where_the_policy_is(place: Place) -> None:
    place.sender = "notices@example.gov"
    place.zone["_dmarc.example.gov", "TXT"] = ['"v=DMARC1; p=reject; rua=mailto:a@b"']
    assert states(await place.look())["alignment"] is State.OK
    place.zone["_dmarc.example.gov", "TXT"] = ['"v=DMARC1; p=reject; aspf=s; rua=mailto:a@b"']
    assert states(await place.look())["alignment"] is State.WARNING
    place.zone["_dmarc.example.gov", "TXT"] = ['"v=DMARC1; p=reject; adkim=s; rua=mailto:a@b"']
    assert states(await place.look())["alignment"] is State.PROBLEM


async def test_the_organisation_s_policy_for_names_below_it_counts(place: Place) -> None:
    place.zone[f"_dmarc.{DOMAIN}", "TXT"] = []
    place.zone["_dmarc.example.gov", "TXT"] = ['"v=DMARC1; p=reject; sp=none; rua=mailto:a@b"']
    ((how, words),) = told(await place.look(), "DMARC")
    assert (how, "p=none" in words) == (State.WARNING, True)


async def test_a_retired_key_stays_in_dns_as_long_as_its_mail_is_under_way(place: Place) -> None:
    place.keys.mark("gw-ed25519", KeyState.RETIRED, NOW)
    name = f"gw-ed25519._domainkey.{DOMAIN}"
    assert told(await place.look(), "DKIM gw-ed25519")[0][0] is State.OK
    record = place.zone.pop((name, "TXT"))
    assert "too early" in told(await place.look(), "DKIM gw-ed25519")[0][1]
    file = place.keys.folder / "gw-ed25519.json"
    then = json.loads(file.read_text())
    then["since"]["retired"] = (NOW - timedelta(days=15)).isoformat()
    file.write_text(json.dumps(then))
    assert told(await place.look(), "DKIM gw-ed25519")[0][0] is State.OFF
    place.zone[name, "TXT"] = record
    assert "still in DNS" in told(await place.look(), "DKIM gw-ed25519")[0][1]


async def test_what_is_to_be_published_is_printed_as_whole_lines(place: Place) -> None:
    for name, kind in ((DOMAIN, "TXT"), (f"_dmarc.{DOMAIN}", "TXT"), (DOMAIN, "MX"), (f"_25._tcp.{DOOR}", "TLSA")):
        place.zone[name, kind] = []
    report = await place.look()
    lines = {one.line: how for one, how in report.records.items()}
    for line in (
        f'{DOMAIN}. 3600 IN TXT "v=spf1 ip4:{ADDRESS} -all"',
        f'_dmarc.{DOMAIN}. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:postmaster@{DOMAIN}"',
        f"{DOMAIN}. 3600 IN MX 10 {DOOR}.",
    ):
        assert lines[line] is Standing.MISSING
    assert lines[f"9.9.9.9.in-addr.arpa. 3600 IN PTR out.{DOMAIN}."] is Standing.THERE
    assert f"mx: {DOOR}\r\n" in report.policy


async def test_a_record_of_others_is_amended_not_replaced(place: Place) -> None:
    place.zone[DOMAIN, "TXT"] = ['"v=spf1 include:other.example ip4:1.1.1.1 ~all"']
    place.zone["other.example", "TXT"] = ['"v=spf1 -all"']
    (line,) = [one.value for one in (await place.look()).records if (one.name, one.kind) == (DOMAIN, "TXT")]
    assert line == f'"v=spf1 ip4:{ADDRESS} include:other.example ip4:1.1.1.1 ~all"'


async def test_one_silent_name_leaves_the_other_looks_alone(place: Place) -> None:
    report = await place.look(f"_dmarc.{DOMAIN}")
    assert told(report, "DMARC") == [(State.WARNING, "no name server answers")]
    assert states(report)["MTA-STS"] is State.OK


async def test_without_a_name_server_it_says_so_and_what_to_publish(place: Place) -> None:
    report = await place.look(*{name for name, _ in place.zone})
    assert told(report, "name server") == [(State.PROBLEM, f"no name server tells of {DOMAIN}")]
    assert standing(report, f"_dmarc.{DOMAIN}") == [Standing.UNKNOWN]
    assert standing(report, f"gw-rsa._domainkey.{DOMAIN}") == [Standing.UNKNOWN]
    assert standing(report, DOMAIN, "MX") == [Standing.UNKNOWN]
    assert standing(report, f"_smtp._tls.{DOMAIN}") == [Standing.UNKNOWN]


async def test_addresses_are_asked_for_where_they_cannot_be_known(place: Place) -> None:
    report = await place.look(addresses=())
    assert (State.WARNING, "the sending addresses are not known from here") in told(report, "SPF")
    with pytest.raises(Malformed):
        await place.look(addresses=("mail.example",))
    with pytest.raises(Malformed):
        await examine(place.settings(443), "ns.example")
