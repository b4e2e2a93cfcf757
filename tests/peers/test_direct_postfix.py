"""Direct delivery to a real Postfix: DANE, MTA-STS, groups of commands, and a dialogue cut at every octet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.domain.address import parse_address
from gateway.domain.delivery import DeliveryState
from gateway.store.database import Database
from tests.abroad import ANN, BACK, DOMAIN, HOST, MAIL, Abroad, folder_database, policy, policy_host
from tests.authority import Authority, Shown
from tests.nameserver import nameserver
from tests.postfix import PATIENCE, lines_of, postfix_folder, running_postfix
from tests.relay import cutting_proxy

DELIVERED, DELAYED, FAILED = DeliveryState.DELIVERED, DeliveryState.DELAYED, DeliveryState.FAILED
TAKES = """\
default_transport = discard:
relay_transport = discard:
virtual_mailbox_domains = agent.example
virtual_transport = discard:
virtual_mailbox_maps = static:all
smtpd_recipient_restrictions = check_recipient_access inline:{{gone@agent.example=reject, slow@agent.example=defer}}
smtpd_tls_security_level = {level}
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_received_header = yes
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def shown(authority: Authority) -> Shown:
    return authority.issue(HOST)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with postfix_folder() as path:
        yield path


@pytest.fixture(scope="module")
def port(folder: Path, shown: Shown) -> Iterator[int]:
    own = folder / "tls"
    own.mkdir()
    for path in (shown.key, shown.chain):
        (own / path.name).write_bytes(path.read_bytes())
    settings = TAKES.format(level="may", key=own / shown.key.name, chain=own / shown.chain.name)
    with running_postfix(folder, settings) as listening:
        yield listening


@pytest.fixture(scope="module")
def plain_folder() -> Iterator[Path]:
    with postfix_folder() as path:
        yield path


@pytest.fixture(scope="module")
def plain_port(plain_folder: Path) -> Iterator[int]:
    with running_postfix(plain_folder, TAKES.format(level="none", key="", chain="")) as listening:
        yield listening


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = folder_database(tmp_path, lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
async def abroad(database: Database, authority: Authority, port: int) -> AsyncIterator[Abroad]:
    await listening(port)
    async with nameserver({}) as server:
        yield Abroad(server, authority, database)


async def test_postfix_takes_it_by_each_policy_that_its_certificate_meets(
    abroad: Abroad, port: int, shown: Shown, authority: Authority
) -> None:
    assert (await abroad.send(port)).state is DELIVERED
    for record in (shown.tlsa(3, 1, 1), authority.tlsa(2, 0, 1)):
        abroad.name(port, record)
        assert (await abroad.send(port)).state is DELIVERED
    del abroad.zone[f"_{port}._tcp.{HOST}", "TLSA"]
    abroad.zone[f"_mta-sts.{DOMAIN}", "TXT"] = ['"v=STSv1; id=1;"']
    abroad.zone[f"mta-sts.{DOMAIN}", "A"] = ["127.0.0.1"]
    async with policy_host(authority.issue(f"mta-sts.{DOMAIN}")) as (host, policy_port):
        host.give(policy("enforce", "*.agent.example"))
        assert (await abroad.send(port, policy_port=policy_port)).state is DELIVERED
    assert abroad.outcomes() == {("no-policy-found", "", HOST): 1, ("tlsa", "", HOST): 2, ("sts", "", HOST): 1}


async def test_postfix_gets_nothing_by_a_policy_that_its_certificate_does_not_meet(
    abroad: Abroad, port: int, plain_port: int, authority: Authority, folder: Path
) -> None:
    await listening(plain_port)
    abroad.name(port, authority.issue(HOST).tlsa(3, 1, 1))
    abroad.name(plain_port, authority.tlsa(2, 0, 1))
    assert (await abroad.send(port)).state is DELAYED
    assert (await abroad.send(plain_port)).state is DELAYED
    abroad.zone[f"_mta-sts.{DOMAIN}", "TXT"] = ['"v=STSv1; id=1;"']
    abroad.zone[f"mta-sts.{DOMAIN}", "A"] = ["127.0.0.1"]
    for at in (port, plain_port):
        del abroad.zone[f"_{at}._tcp.{HOST}", "TLSA"]
    async with policy_host(authority.issue(f"mta-sts.{DOMAIN}")) as (host, policy_port):
        host.give(policy("enforce", HOST))
        assert (await abroad.send(plain_port, policy_port=policy_port)).state is DELAYED
        abroad.zone[f"_mta-sts.{DOMAIN}", "TXT"] = ['"v=STSv1; id=2;"']
        host.give(policy("enforce", "other.example"))
        assert (await abroad.send(port, policy_port=policy_port)).state is DELAYED
        abroad.zone[f"_mta-sts.{DOMAIN}", "TXT"] = ['"v=STSv1; id=3;"']
        host.give(policy("none"))
        assert (await abroad.send(plain_port, policy_port=policy_port)).state is DELIVERED


async def test_a_refused_recipient_leaves_the_conversation_to_the_next(abroad: Abroad, port: int) -> None:
    one = abroad.courier(port)
    people = ("gone@agent.example", "ann@agent.example", "slow@agent.example", "bob@agent.example")
    states = [(await one.deliver(MAIL, parse_address(address), BACK)).state for address in people]
    await one.close()
    assert states == [FAILED, DELIVERED, DELAYED, DELIVERED]
    assert sum(abroad.outcomes().values()) == 1


async def test_many_mails_share_a_few_conversations(abroad: Abroad, port: int) -> None:
    one = abroad.courier(port)
    outcomes = await asyncio.gather(*(one.deliver(MAIL, ANN, BACK) for _ in range(60)))
    await one.close()
    assert {outcome.state for outcome in outcomes} == {DELIVERED}
    assert sum(abroad.outcomes().values()) <= 4


@pytest.mark.parametrize("direction", ["there", "back"])
async def test_a_dialogue_cut_at_any_octet_loses_nothing_and_repeats_only_after_the_final_dot(
    abroad: Abroad, plain_port: int, plain_folder: Path, direction: str
) -> None:
    """One mail is tried until it is taken. What Postfix got besides was cut after the final dot."""
    await listening(plain_port)
    to = f"{direction}@agent.example"
    offset = 0

    def cut() -> tuple[int, int]:
        return (offset, 1 << 30) if direction == "there" else (1 << 30, offset)

    async with cutting_proxy(plain_port, cut) as through:
        delivered = False
        while not delivered:
            one = abroad.courier(through)
            outcome = await one.deliver(MAIL, parse_address(to), BACK)
            await one.close()
            delivered = outcome.state is DELIVERED
            assert delivered or outcome.state is DELAYED
            offset += 1
            assert offset < 2000
    assert offset > (len(MAIL) if direction == "there" else 100)
    taken = [line for line in await lines_of(plain_folder, f"to=<{to}>") if "status=sent" in line]
    answer = len("250 2.0.0 Ok: queued as 0123456789ABCDEF\r\n")
    assert 1 <= len(taken) <= 1 + (1 if direction == "there" else answer)


async def listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.transport.abort()
                return
