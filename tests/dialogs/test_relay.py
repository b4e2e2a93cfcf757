"""The listener of a trusted relay: which hosts may speak, by which proofs, and what the others hear."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.errors import ConfigError
from gateway.inbound.listener import TrustedHosts
from tests.dialogs.certificates import SERVERS_ONLY, Pair, make_certificate
from tests.dialogs.house import Client, House, open_house

NETWORKS = (ip_network("127.0.0.8/31"),)
INSIDE, OUTSIDE = "127.0.0.9", "127.0.0.1"
NAME = "mta.agency.example"


@dataclass
class Papers:
    """A server's certificate, and what the relay's client certificates lead to."""

    folder: Path
    own: Pair
    listed: Path

    def hosts(self, *names: str) -> TrustedHosts:
        return TrustedHosts("mta", NETWORKS, self.listed, names, certificate=self.own[0], key=self.own[1])

    def trust(self, client: Pair | None = None) -> ssl.SSLContext:
        """A client's context that shows this certificate."""
        context = ssl.create_default_context(cafile=str(self.own[0]))
        if client is not None:
            context.load_cert_chain(*client)
        return context


@pytest.fixture
def papers(tmp_path: Path, certificate: Pair) -> Papers:
    return Papers(tmp_path, certificate, tmp_path / "listed.pem")


@pytest.fixture
def client(papers: Papers) -> Pair:
    """A certificate signed by itself, whose copy is listed."""
    made = make_certificate(papers.folder / "client", NAME)
    papers.listed.write_bytes(made[0].read_bytes())
    return made


@pytest.fixture
def authority(papers: Papers) -> Pair:
    """An authority that is listed, and vouches for others too."""
    made = make_certificate(papers.folder / "authority", "ca.agency.example")
    papers.listed.write_bytes(made[0].read_bytes())
    return made


@asynccontextmanager
async def relay_house(hosts: TrustedHosts, trust: ssl.SSLContext, **more: Any) -> AsyncIterator[House]:
    async with open_house(None, trust, hosts=hosts, **more) as house:
        yield house


async def arrive(house: House, *, implicit: bool, source: str = INSIDE) -> tuple[Client, str]:
    """Come as far as the first words under TLS: the answer to EHLO, or the greeting that turns away."""
    client = await house.connect(tls=implicit, source=source)
    greeting = await client.line()
    if not greeting.startswith("220"):
        return client, greeting
    if not implicit:
        assert (await client.ask("STARTTLS")).startswith("220 ")
        await client.start_tls()
    return client, await client.ask("EHLO mta.test")


IMPLICIT = pytest.mark.parametrize("implicit", [False, True])


@IMPLICIT
async def test_a_host_with_both_proofs_deposits_without_signing_in(
    implicit: bool, papers: Papers, client: Pair
) -> None:
    async with relay_house(papers.hosts(), papers.trust(client), implicit_tls=implicit) as house:
        mta, said = await arrive(house, implicit=implicit)
        assert said == "250 HELP"
        assert await mta.ask("AUTH PLAIN AGpvZQByaWdodA==") == "503 5.5.1 sign-in is not offered here"
        for command in ("MAIL FROM:<joe@b.test>", "RCPT TO:<sm@gw.test>"):
            assert (await mta.ask(command)).startswith("250 ")
        assert (await mta.ask("DATA")).startswith("354 ")
        assert (await mta.ask("words\r\n.")).startswith("250 2.6.0")
        assert house.door.deposits[0].principal is None
        await mta.close()


async def test_nothing_is_taken_before_tls(papers: Papers, client: Pair) -> None:
    async with relay_house(papers.hosts(), papers.trust(client)) as house:
        mta = await house.connect(source=INSIDE)
        assert await mta.line() == "220 gw.test ESMTP"
        assert (await mta.ask("EHLO mta.test")) == "250 HELP"
        assert await mta.ask("MAIL FROM:<joe@b.test>") == "530 5.7.0 say STARTTLS first"
        await mta.close()


@IMPLICIT
async def test_the_right_certificate_from_a_wrong_network_is_told_so(
    implicit: bool, papers: Papers, client: Pair
) -> None:
    async with relay_house(papers.hosts(), papers.trust(client), implicit_tls=implicit) as house:
        with capture_logs() as told:
            mta, said = await arrive(house, implicit=implicit, source=OUTSIDE)
        assert said == "421 4.7.0 this port is for the site's own mail system, your address is not; closing"
        assert await mta.is_closed()
        assert [line["step"] for line in told if line["event"] == "relay refused"] == ["network"]
        await mta.close()


@IMPLICIT
async def test_a_host_without_certificate_is_told_so(implicit: bool, papers: Papers, client: Pair) -> None:
    async with relay_house(papers.hosts(), papers.trust(), implicit_tls=implicit) as house:
        with capture_logs() as told:
            mta, said = await arrive(house, implicit=implicit)
        assert said == "421 4.7.0 show the client certificate that this relay is known by; closing"
        assert await mta.is_closed()
        assert [line["step"] for line in told if line["event"] == "relay refused"] == ["certificate"]
        await mta.close()


CODES = {"signed by itself": 18, "of another authority": 20, "expired": 10, "for servers only": 26}
"""What OpenSSL says of each."""


def refused_in_handshake(kind: str, papers: Papers) -> Pair:
    """Certificates that OpenSSL itself refuses."""
    folder = papers.folder
    match kind:
        case "signed by itself":
            return make_certificate(folder / "other", NAME)
        case "of another authority":
            other = make_certificate(folder / "others", "ca.agency.example")
            return make_certificate(folder / "other", NAME, authority=other)
        case "expired":
            made = make_certificate(folder / "other", NAME, expired=True)
            papers.listed.write_bytes(made[0].read_bytes())
            return made
        case _:
            made = make_certificate(folder / "other", NAME, purpose=SERVERS_ONLY)
            papers.listed.write_bytes(made[0].read_bytes())
            return made


@IMPLICIT
@pytest.mark.parametrize("kind", CODES)
async def test_a_certificate_that_does_not_hold_fails_the_handshake(
    kind: str, implicit: bool, papers: Papers, client: Pair
) -> None:
    other = refused_in_handshake(kind, papers)
    async with relay_house(papers.hosts(NAME), papers.trust(other), implicit_tls=implicit) as house:
        with capture_logs() as told:
            with pytest.raises((OSError, AssertionError)):
                _, said = await arrive(house, implicit=implicit)
                assert said  # in TLS 1.3 a client learns of it by its next read
            await house.settle()
        codes = [line["code"] for line in told if line["event"] == "client certificate refused"]
        assert codes == [CODES[kind]]
        assert house.door.open == 0


@IMPLICIT
async def test_an_authority_vouches_for_listed_names_only(implicit: bool, papers: Papers, authority: Pair) -> None:
    right = make_certificate(papers.folder / "right", NAME, authority=authority)
    wrong = make_certificate(papers.folder / "wrong", "www.agency.example", authority=authority)
    async with relay_house(papers.hosts(NAME), papers.trust(right), implicit_tls=implicit) as house:
        mta, said = await arrive(house, implicit=implicit)
        assert said == "250 HELP"
        await mta.close()
        house.trust = papers.trust(wrong)
        other, said = await arrive(house, implicit=implicit)
        assert said == "421 4.7.0 your client certificate has no key or name that is listed; closing"
        assert await other.is_closed()
        await other.close()


async def test_an_authority_without_names_vouches_for_nobody(papers: Papers, authority: Pair) -> None:
    issued = make_certificate(papers.folder / "issued", NAME, authority=authority)
    async with relay_house(papers.hosts(), papers.trust(issued), implicit_tls=True) as house:
        mta, said = await arrive(house, implicit=True)
        assert said.startswith("421 4.7.0 your client certificate has no key or name")
        await mta.close()


async def test_a_listed_certificate_of_an_authority_is_known_by_its_key_alone(papers: Papers, authority: Pair) -> None:
    listed = make_certificate(papers.folder / "one", NAME, authority=authority)
    sister = make_certificate(papers.folder / "two", NAME, authority=authority)
    papers.listed.write_bytes(listed[0].read_bytes())
    async with relay_house(papers.hosts(), papers.trust(listed), implicit_tls=True) as house:
        mta, said = await arrive(house, implicit=True)
        assert said == "250 HELP"
        await mta.close()
        house.trust = papers.trust(sister)
        with pytest.raises((OSError, AssertionError)):
            _, said = await arrive(house, implicit=True)
            assert said


@IMPLICIT
async def test_renewed_clients_are_for_new_handshakes_and_end_no_session(
    implicit: bool, papers: Papers, client: Pair
) -> None:
    hosts = papers.hosts()
    async with relay_house(hosts, papers.trust(client), implicit_tls=implicit) as house:
        old, said = await arrive(house, implicit=implicit)
        assert said == "250 HELP"
        second = make_certificate(papers.folder / "second", NAME)
        papers.listed.write_bytes(second[0].read_bytes())
        hosts.renew()
        assert (await old.ask("MAIL FROM:<joe@b.test>")).startswith("250 ")
        house.trust = papers.trust(second)
        new, said = await arrive(house, implicit=implicit)
        assert said == "250 HELP"
        house.trust = papers.trust(client)
        with pytest.raises((OSError, AssertionError)):
            _, said = await arrive(house, implicit=implicit)
            assert said
        await old.close()
        await new.close()


async def test_no_ticket_outlives_what_a_certificate_proved(papers: Papers, client: Pair) -> None:
    hosts, trust = papers.hosts(), papers.trust(client)
    async with relay_house(hosts, trust, implicit_tls=True) as house:
        mta, _ = await arrive(house, implicit=True)
        assert not mta.writer.get_extra_info("ssl_object").session.has_ticket
        await mta.close()


@pytest.mark.parametrize(
    "octets", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
async def test_a_file_without_certificates_changes_nothing(octets: bytes, papers: Papers, client: Pair) -> None:
    hosts = papers.hosts()
    papers.listed.write_bytes(octets)
    with pytest.raises(ConfigError):
        hosts.renew()
    with pytest.raises(ConfigError):
        papers.hosts()
    async with relay_house(hosts, papers.trust(client), implicit_tls=True) as house:
        mta, said = await arrive(house, implicit=True)
        assert said == "250 HELP"
        await mta.close()


def test_an_absent_file_is_a_configuration_error(papers: Papers) -> None:
    with pytest.raises(ConfigError):
        papers.hosts()


async def test_a_relay_behind_a_proxy_is_known_by_its_own_address(papers: Papers, client: Pair) -> None:
    proxies = (ip_network("127.0.0.1/32"),)
    async with relay_house(papers.hosts(), papers.trust(client), proxies=proxies) as house:
        for address, wanted in (("127.0.0.9", "220 gw.test ESMTP"), ("198.51.100.7", "421 4.7.0 this port")):
            mta = await house.connect()
            mta.send(f"PROXY TCP4 {address} 127.0.0.1 4711 2525\r\n".encode())
            assert (await mta.line()).startswith(wanted)
            await mta.close()


async def test_a_named_client_does_not_unmake_the_proof_of_its_relay(papers: Papers, client: Pair) -> None:
    speakers = (ip_network("127.0.0.9/32"),)
    async with relay_house(papers.hosts(), papers.trust(client), speakers=speakers, implicit_tls=True) as house:
        mta, said = await arrive(house, implicit=True)
        assert said == "250 HELP"
        assert await mta.ask("XCLIENT ADDR=198.51.100.7") == "220 gw.test ESMTP"
        assert await mta.ask("EHLO mta.test") == "250 HELP"
        assert (await mta.ask("MAIL FROM:<joe@b.test>")).startswith("250 ")
        await mta.close()


async def test_a_refused_host_that_says_nothing_is_not_awaited_for_ever(papers: Papers, client: Pair) -> None:
    async with relay_house(papers.hosts(), papers.trust()) as house:
        mta = await house.connect(source=INSIDE)
        assert await mta.line() == "220 gw.test ESMTP"
        assert (await mta.ask("STARTTLS")).startswith("220 ")
        await mta.start_tls()
        await asyncio.sleep(0.01)
        assert house.listener.connections == 1
        await mta.close()
        await house.settle()
