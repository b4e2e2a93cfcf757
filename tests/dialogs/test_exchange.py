"""Exchange Online as a relay: its certificate proves the host, and each message has to prove whose it is.

Whole conversations with the real listener over TLS, with signatures by real keys in a name server of the test's own.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import system_clock
from gateway.domain.errors import ConfigError
from gateway.domain.probe import ProbeAddresses
from gateway.inbound.listener import DoorLimits, TrustedHosts, open_listener
from gateway.inbound.organisation import OrganisationCheck
from gateway.inbound.relay import RelayDoor
from gateway.inbound.senders import resolver_of
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.dialogs.certificates import Pair, make_certificate
from tests.dialogs.house import Client
from tests.exchange import ORGANISATION, OTHER_KEY, OTHER_TENANT, SELECTOR, TENANT, Sample, multipart, zone
from tests.nameserver import Nameserver, nameserver
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled
from tests.tables import make_tables

SECRET = b"a secret of the site's own rule, long enough"
DANA = "dana@agency.example"
DESK = "desk@agency.example"
PROBES = ProbeAddresses(DOMAIN, b"r" * 32)
TNEF = b"eJ8+IgAAAQaQCAAEAAAAAAABAAEAAQeQBgAIAAAA5AQAAAAAAADoAAEIgAcAGAAAAElQTS5NaWNyb3Nv"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Settled]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url)
    yield Settled(database)
    database.close()


class Cloud:
    """A listener of such a relay, what stands behind it, and a client that has its host's certificate."""

    def __init__(self, site: Settled, names: Nameserver, port: int, trust: ssl.SSLContext) -> None:
        self.site, self.names, self.port, self.trust = site, names, port, trust

    async def send(self, mail: Sample | bytes, sender: str = DANA, *recipients: str, chunk: int = 0) -> str:
        """Hand one mail in by BDAT, as Exchange does; return what is said of it."""
        octets = mail if isinstance(mail, bytes) else mail.octets()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.trust, server_hostname="localhost", local_addr=("127.0.0.9", 0)
        )
        client = Client(reader, writer, self.trust)
        try:
            assert (await client.line()).startswith("220 ")
            assert (await client.ask("EHLO mail.outbound.example")).startswith("250 ")
            said = await client.ask(f"MAIL FROM:<{sender}> SIZE={len(octets)}")
            for address in recipients or (self.site.address(self.site.tour),):
                said = await client.ask(f"RCPT TO:<{address}>") if said.startswith("250") else said
            if not said.startswith("250"):
                return said
            size = chunk or len(octets)
            for start in range(0, len(octets), size):
                piece = octets[start : start + size]
                last = " LAST" if start + size >= len(octets) else ""
                client.send(f"BDAT {len(piece)}{last}\r\n".encode() + piece)
                said = await client.reply()
                if not said.startswith("250"):
                    break
            return said
        finally:
            await client.close()

    def entries(self, kind: str) -> list[dict[str, Any]]:
        leaf = tables.leaf
        statement = select(leaf.c.body).where(leaf.c.kind == kind).order_by(leaf.c.id)
        return [json.loads(row.body) for row in self.site.database.read_now(lambda c: c.execute(statement).all())]

    def messages(self) -> list[Any]:
        return list(self.site.database.read_now(lambda c: c.execute(select(tables.message)).all()))


@asynccontextmanager
async def open_cloud(
    site: Settled,
    folder: Path,
    certificate: Pair,
    *,
    secrets: tuple[bytes, ...] = (),
    records: dict[tuple[str, str], list[str]] | None = None,
    silent: frozenset[str] = frozenset(),
    names_required: bool = False,
) -> AsyncIterator[Cloud]:
    client = make_certificate(folder / "client", "mail.outbound.example")
    hosts = TrustedHosts(
        "cloud", (ip_network("127.0.0.8/31"),), client[0], (), certificate=certificate[0], key=certificate[1]
    )
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    trust.load_cert_chain(*client)
    async with nameserver(zone() if records is None else records, silent) as names:
        nobody: Any = None
        blobs = BlobFolder(folder / "blobs", reserve_octets=0)
        door = SubmissionDoor(
            site.database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None,
            names_required=names_required,
        )  # fmt: skip
        resolver = resolver_of([names.place])
        resolver.lifetime = resolver.timeout = 0.3 if silent else 60.0
        check = OrganisationCheck(frozenset({TENANT}), frozenset({ORGANISATION}), secrets, resolver, system_clock)
        listener = await open_listener(
            RelayDoor(door, "cloud", DOMAIN, check, PROBES), name="test", host="127.0.0.1", port=0, tls=None,
            implicit_tls=True, limits=DoorLimits(), hostname="gw.test", require_auth=False, hosts=hosts,
        )  # fmt: skip
        try:
            yield Cloud(site, names, listener.port, trust)
        finally:
            await listener.close(grace=1)
        assert not [name for name in blobs.names() if name.startswith("tmp")]


@pytest.fixture
async def cloud(site: Settled, tmp_path: Path, certificate: Pair) -> AsyncIterator[Cloud]:
    async with open_cloud(site, tmp_path, certificate) as made:
        yield made


ORDINARY = Sample()
PROOFS_REMOVED = {
    "the organisation": (
        ORDINARY.with_tenancy({"X-OriginatorOrg": None}),
        "550 5.7.1 say once each, in X-OriginatorOrg and X-MS-Exchange-CrossTenant-Id, which organisation sends this",
    ),
    "the tenant": (
        ORDINARY.with_tenancy({"X-MS-Exchange-CrossTenant-Id": None}),
        "550 5.7.1 say once each, in X-OriginatorOrg and X-MS-Exchange-CrossTenant-Id, which organisation sends this",
    ),
    "the organisation is another": (
        ORDINARY.with_tenancy({"X-OriginatorOrg": "attacker.example"}),
        "550 5.7.1 this is sent by another organisation than those this port is for",
    ),
    "the tenant is another": (
        ORDINARY.with_tenancy({"X-MS-Exchange-CrossTenant-Id": OTHER_TENANT}),
        "550 5.7.1 this is sent by another organisation than those this port is for",
    ),
    "a forged tenant above the service's own": (
        ORDINARY.with_tenancy({"X-MS-Exchange-CrossTenant-Id": OTHER_TENANT}).doubled(
            "X-MS-Exchange-CrossTenant-Id", TENANT
        ),
        "550 5.7.7 the header says more than once which organisation sends this",
    ),
    "a forged organisation above the service's own": (
        ORDINARY.with_tenancy({"X-OriginatorOrg": "attacker.example"}).doubled("x-originatororg", ORGANISATION),
        "550 5.7.7 the header says more than once which organisation sends this",
    ),
    "the sender's sign-in": (
        ORDINARY.with_tenancy({"X-MS-Exchange-CrossTenant-AuthAs": None}),
        "550 5.7.1 the organisation does not say that the sender signed in there",
    ),
    "the sender came from outside": (
        ORDINARY.with_tenancy({"X-MS-Exchange-CrossTenant-AuthAs": "Anonymous"}),
        "550 5.7.1 the organisation does not say that the sender signed in there",
    ),
    "two words on the sign-in": (
        ORDINARY.with_tenancy({"X-MS-Exchange-CrossTenant-AuthAs": "Anonymous"}).doubled(
            "X-MS-Exchange-CrossTenant-AuthAs", "Internal"
        ),
        "550 5.7.7 the header says more than once which organisation sends this",
    ),
    "the signature": (
        replace(ORDINARY, signer=None),
        "550 5.7.20 no DKIM signature is good: turn signing on for the sender's domain",
    ),
    "a signature by another's key": (
        replace(ORDINARY, key=OTHER_KEY),
        "550 5.7.20 no DKIM signature is good: turn signing on for the sender's domain",
    ),
    "a body that was changed": (
        replace(ORDINARY, after=lambda octets: octets.replace(b"The words", b"Other words")),
        "550 5.7.20 no DKIM signature is good: turn signing on for the sender's domain",
    ),
    "a From that was changed": (
        replace(ORDINARY, after=lambda octets: octets.replace(b"From: Dana", b"From: Dina")),
        "550 5.7.20 no DKIM signature is good: turn signing on for the sender's domain",
    ),
    "a signature of another domain": (
        replace(ORDINARY, signer="attacker.example"),
        "550 5.7.22 no good DKIM signature is of the sender's domain: sign with that one",
    ),
    "another employee's address": (
        replace(ORDINARY, author="Omar <omar@agency.example>"),
        "550 5.7.1 The sender address is neither yours nor your team's",
    ),
}


async def test_mail_with_every_proof_is_taken(cloud: Cloud) -> None:
    said = await cloud.send(ORDINARY)
    assert said.startswith("250 2.6.0 T-SM-")
    [entry] = cloud.entries("deposited")
    assert (entry["by"], entry["facts"]["relay"]) == (cloud.site.people["dana"], "cloud")


@pytest.mark.parametrize("removed", PROOFS_REMOVED)
async def test_with_any_one_proof_removed_it_is_refused(
    removed: str, site: Settled, tmp_path: Path, certificate: Pair
) -> None:
    mail, wanted = PROOFS_REMOVED[removed]
    both = {**zone(), **zone("attacker.example")}
    async with open_cloud(site, tmp_path, certificate, records=both) as cloud:
        assert (await cloud.send(mail)).startswith(wanted)
        assert cloud.messages() == []
        assert not list((tmp_path / "blobs").rglob("*.seg"))


async def test_our_employee_in_the_envelope_alone_is_refused(cloud: Cloud) -> None:
    """The right certificate, our employee's envelope sender, and another tenant that has signed with its own domain."""
    mail = replace(ORDINARY, signer=None).with_tenancy(
        {
            "X-OriginatorOrg": "attacker.example",
            "X-MS-Exchange-CrossTenant-Id": OTHER_TENANT,
        }
    )
    assert (await cloud.send(mail)).startswith("550 5.7.1 this is sent by another organisation")


async def test_a_header_that_is_not_the_sites_is_refused_without_a_question_to_dns(cloud: Cloud) -> None:
    long = replace(ORDINARY, body=b"0123456789abcdef\r\n" * 60_000)
    said = await cloud.send(long.with_tenancy({"X-MS-Exchange-CrossTenant-Id": OTHER_TENANT}), chunk=200_000)
    assert said.startswith("550 5.7.1 this is sent by another organisation")
    assert cloud.names.asked == []


async def test_a_long_message_is_proven_to_its_last_octet(cloud: Cloud) -> None:
    long = replace(ORDINARY, body=b"0123456789abcdef  words \r\n" * 100_000)
    spoilt = replace(long, after=lambda octets: octets[:-12] + b"X" + octets[-11:])
    assert (await cloud.send(spoilt, chunk=300_000)).startswith("550 5.7.20")
    assert (await cloud.send(long, chunk=300_000)).startswith("250 2.6.0 T-SM-")


async def test_without_dns_it_waits_where_it_is(site: Settled, tmp_path: Path, certificate: Pair) -> None:
    silent = frozenset({f"{SELECTOR}._domainkey.{ORGANISATION}"})
    async with open_cloud(site, tmp_path, certificate, silent=silent) as cloud:
        said = await cloud.send(ORDINARY)
        assert said == "451 4.4.3 a key of a DKIM signature cannot be looked up now; try again later"
        assert cloud.messages() == []


async def test_a_key_that_is_not_there_proves_nothing(site: Settled, tmp_path: Path, certificate: Pair) -> None:
    async with open_cloud(site, tmp_path, certificate, records={}) as cloud:
        assert (await cloud.send(ORDINARY)).startswith("550 5.7.20")


# A secret of the site's own rule in the place of a signature.

SECRETS = {
    "none": (),
    "another": (b"X-Gateway-Relay-Proof: another secret, of the right length, yes",),
    "the beginning": (b"X-Gateway-Relay-Proof: " + SECRET[:-1],),
}


@pytest.mark.parametrize("shown", SECRETS)
async def test_a_wrong_secret_is_refused(shown: str, site: Settled, tmp_path: Path, certificate: Pair) -> None:
    own = tuple(field.decode() for field in SECRETS[shown])
    async with open_cloud(site, tmp_path, certificate, secrets=(SECRET,)) as cloud:
        said = await cloud.send(replace(ORDINARY, own=own))
        assert said == "550 5.7.1 the header lacks the proof that the organisation's own rule sets"


async def test_the_secret_stands_in_for_a_signature_and_for_nothing_else(
    site: Settled, tmp_path: Path, certificate: Pair
) -> None:
    shown = f"X-Gateway-Relay-Proof: {SECRET.decode()}"
    mail = replace(ORDINARY, own=(shown,), signer=None)
    async with open_cloud(site, tmp_path, certificate, secrets=(b"x" * 40, SECRET)) as cloud:
        other = mail.with_tenancy({"X-MS-Exchange-CrossTenant-Id": OTHER_TENANT})
        assert (await cloud.send(other)).startswith("550 5.7.1 this is sent by another organisation")
        assert (await cloud.send(replace(mail, own=(shown, shown)))).startswith("550 5.7.7")
        assert (await cloud.send(mail)).startswith("250 2.6.0 T-SM-")
        assert cloud.names.asked == []


@pytest.mark.parametrize("octets", [None, b"", b"short\n", SECRET + b"\nshort\n"])
def test_a_secret_that_is_none_is_no_proof(octets: bytes | None, tmp_path: Path) -> None:
    from gateway.config import OrganisationSettings

    path = tmp_path / "secret"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(ConfigError):
        OrganisationCheck.of(OrganisationSettings(frozenset({"t"}), frozenset({"o"}), path, ()), system_clock)


# Who wrote it.


async def test_on_behalf_of_a_team_is_its_writer_for_the_team(cloud: Cloud) -> None:
    mail = replace(ORDINARY, author=f"Desk <{DESK}>", own=(f"Sender: Dana <{DANA}>",))
    for sender in (DANA, DESK):
        different = replace(mail, body=f"by way of {sender}\r\n".encode())
        assert (await cloud.send(different, sender)).startswith("250 2.6.0 T-SM-")
    assert {row.author_id for row in cloud.messages()} == {cloud.site.people["dana"]}
    assert {row.team_id is None for row in cloud.messages()} == {False}


async def test_send_as_names_nobody_and_is_entered_so(cloud: Cloud) -> None:
    mail = replace(ORDINARY, author=f"Desk <{DESK}>")
    assert (await cloud.send(mail, DESK)).startswith("250 2.6.0 T-SM-")
    [row], [entry] = cloud.messages(), cloud.entries("deposited")
    assert row.author_id is None
    assert (entry["by"], entry["facts"]["team"], entry["facts"]["human"]) == ("relay", row.team_id, "not stated")


async def test_send_as_is_refused_where_the_site_wants_names(site: Settled, tmp_path: Path, certificate: Pair) -> None:
    async with open_cloud(site, tmp_path, certificate, names_required=True) as cloud:
        mail = replace(ORDINARY, author=f"Desk <{DESK}>")
        assert await cloud.send(mail, DESK) == (
            "550 5.7.1 this says a team wrote it, and not who: send it on behalf of the team, so that Sender is you"
        )
        named = replace(mail, own=(f"Sender: {DANA}",))
        assert (await cloud.send(named, DESK)).startswith("250 2.6.0 T-SM-")


FORWARDED = "550 5.7.1 this was forwarded, not written to here: write a message of your own to the case's address"


@pytest.mark.parametrize(
    "sender",
    [
        "SRS0=HHH=TT=elsewhere.example=dana@agency.example",
        "SRS1=HHH=elsewhere.example==HHH=TT=other.example=dana@agency.example",
        "dana+SRS=abcde=XY=elsewhere.example=someone@agency.example",
        "bounces+SRS=abcde=XY@agency.example",
    ],
)
async def test_a_rewritten_envelope_never_deposits(sender: str, cloud: Cloud) -> None:
    assert await cloud.send(ORDINARY, sender) == FORWARDED


@pytest.mark.parametrize(
    "field",
    [
        "X-MS-Exchange-Inbox-Rules-Loop: dana@agency.example",
        "Resent-From: dana@agency.example",
        "Auto-Submitted: auto-forwarded",
        "X-Forwarded-To: case@secure.agency.example",
        "X-Forwarded-For: dana@agency.example case@secure.agency.example",
        "Delivered-To: dana@agency.example",
    ],
)
async def test_what_was_forwarded_never_deposits(field: str, cloud: Cloud) -> None:
    assert await cloud.send(replace(ORDINARY, own=(field,))) == FORWARDED
    assert cloud.messages() == []


async def test_what_a_person_forwards_by_hand_is_theirs(cloud: Cloud) -> None:
    mail = replace(ORDINARY, own=("X-Forwarded-Message-Id: <one@elsewhere.example>",))
    assert (await cloud.send(mail)).startswith("250 2.6.0 T-SM-")


# Shapes.


async def test_each_copy_of_a_split_message_has_its_own_recipients(cloud: Cloud) -> None:
    """The service splits a message by route: the header shows all, each envelope its own; a repeat is answered so."""
    case = cloud.site.address(cloud.site.tour)
    said = await cloud.send(ORDINARY, DANA, case)
    assert said.startswith("250 2.6.0 T-SM-")
    assert await cloud.send(ORDINARY, DANA, case) == said
    [row] = cloud.messages()
    statement = select(tables.recipient.c.person_id).where(tables.recipient.c.message_id == row.id)
    people = cloud.site.database.read_now(lambda c: c.execute(statement).scalars().all())
    assert set(people) == {cloud.site.people["ines"], cloud.site.people["raul"]}


async def test_a_label_that_encrypts_is_refused_in_words(cloud: Cloud) -> None:
    content_type, body = multipart("application/x-microsoft-rpmsg-message; name=message.rpmsg", b"dv", "message.rpmsg")
    said = await cloud.send(replace(ORDINARY, content_type=content_type, body=body))
    assert said.startswith("550 5.6.1 the message is encrypted for someone")


async def test_tnef_is_taken_as_it_came(cloud: Cloud) -> None:
    content_type, body = multipart("application/ms-tnef; name=winmail.dat", TNEF, "winmail.dat")
    said = await cloud.send(replace(ORDINARY, content_type=content_type, body=body), chunk=64)
    assert said.startswith("250 2.6.0 T-SM-")


async def test_an_out_of_office_answer_ends(cloud: Cloud) -> None:
    mail = replace(ORDINARY, own=("Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"))
    for sender in ("", DANA):
        assert (await cloud.send(mail, sender)).startswith("250 2.6.0 automatic mail ends here")
    assert cloud.messages() == []


async def test_null_sender_mail_of_another_tenant_is_not_even_entered(cloud: Cloud) -> None:
    mail = replace(ORDINARY, own=("Auto-Submitted: auto-generated",))
    other = mail.with_tenancy({"X-MS-Exchange-CrossTenant-Id": OTHER_TENANT})
    assert (await cloud.send(other, "")).startswith("550 5.7.1 this is sent by another organisation")
    assert (await cloud.send(replace(mail, signer=None), "")).startswith("550 5.7.20")
    assert cloud.entries("mail_ended") == []


# A look at the way.


async def test_a_probe_is_entered_with_its_way_and_not_kept(cloud: Cloud) -> None:
    address = str(PROBES.of(b"probe", int(system_clock().timestamp())))
    said = await cloud.send(ORDINARY, DANA, address)
    assert said == "250 2.6.0 the probe has come: how is entered, and nothing of it kept"
    [entry] = cloud.entries("probe_arrived")
    assert entry["facts"]["reply"] == said
    assert [hop["by"] for hop in entry["facts"]["hops"]] == ["BN1PR09CU001.outbound.protection.example"]
    assert "dana" not in json.dumps(entry)
    assert cloud.messages() == []


async def test_a_probe_without_a_proof_is_refused_as_mail_is_and_entered(cloud: Cloud) -> None:
    address = str(PROBES.of(b"probe", int(system_clock().timestamp())))
    for mail, words in ((replace(ORDINARY, signer=None), "550 5.7.20"), (PROOFS_REMOVED["the tenant"][0], "550 5.7.1")):
        said = await cloud.send(mail, DANA, address)
        assert said.startswith(words)
        assert cloud.entries("probe_arrived")[-1]["facts"]["reply"] == said


async def test_an_old_probe_address_is_no_address(cloud: Cloud) -> None:
    address = str(PROBES.of(b"probe", int(system_clock().timestamp()) - 4000))
    assert (await cloud.send(ORDINARY, DANA, address)).startswith("550 5.7.1 You have no open case by this address")
