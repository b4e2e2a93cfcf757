"""Replies of broken hosts after a good beginning: cut anywhere, nonsense, endless, out of turn. None means yes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.config import RelayTls
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.outbound.courier import Courier
from gateway.outbound.relay import Relay, RelayWay
from tests.abroad import ANN, BACK, MAIL
from tests.relay import settled

ANNOUNCED = b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n"
TAKEN = b"250 2.0.0 taken\r\n"


@asynccontextmanager
async def host(
    first: bytes, second: bytes = TAKEN, *, stays: bool = False, cut: bool = False
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A host that says `first` to a mail's commands and `second` to the mail; then it goes, or stays and is silent.

    With `cut` it goes after `first`.
    """
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 here\r\n")
            await reader.readline()
            writer.write(b"250-host.example\r\n250 PIPELINING\r\n")
            for _ in range(3):
                await reader.readline()
            writer.write(first)
            await writer.drain()
            if cut:
                return
            got.append(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(second)
            await writer.drain()
            if stays:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], got
    finally:
        server.close()
        await settled()


async def sent(port: int, deadline: float = 1.0) -> Delivery:
    """Where the host is to be heard to its end, the deadline is one that no busy machine comes to."""
    one = Courier(RelayWay(Relay("127.0.0.1", port, "gateway.example", RelayTls.NONE, deadline=deadline)), None)
    try:
        return await one.deliver(MAIL, ANN, BACK)
    finally:
        await one.close()


async def test_commands_go_in_one_group_and_the_mail_arrives_as_it_is() -> None:
    async with host(ANNOUNCED) as (port, got):
        assert (await sent(port, 60.0)).state is DeliveryState.DELIVERED
    assert got == [MAIL.replace(b"\r\n.", b"\r\n..") + b".\r\n"]


async def test_announcements_cut_at_any_octet_send_nothing() -> None:
    for octets in range(len(ANNOUNCED)):
        async with host(ANNOUNCED[:octets], cut=True) as (port, got):
            outcome = await sent(port)
        assert outcome.state is DeliveryState.DELAYED, octets
        assert got == []


async def test_an_answer_cut_at_any_octet_leaves_the_mail_in_doubt_and_is_never_a_yes() -> None:
    for octets in range(len(TAKEN)):
        async with host(ANNOUNCED, TAKEN[:octets]) as (port, _):
            assert (await sent(port)).state is DeliveryState.DELAYED, octets


@pytest.mark.parametrize(
    "first",
    [
        b"250-\r\n" * 20_000,
        b"250 " + b"x" * 100_000,
        b"x" * 100_000,
        b"hello\r\n",
        b"\x00\xff\r\n",
        b"99 a\r\n",
        b"1000 a\r\n",
        b"250?a\r\n",
        b"\r\n\r\n\r\n",
        b"421 4.3.2 going\r\n",
        b"250 ok\r\n421 4.3.2 going\r\n",
        b"250 ok\r\n250 ok\r\n421 4.3.2 going\r\n",
        b"451 4.3.0 no sender today\r\n451 x\r\n451 x\r\n",
        b"250 ok\r\n250 ok\r\n451 4.3.0 no room\r\n",
        b"250 ok\r\n450 4.2.0 later\r\n354 go on\r\n",
    ],
)
async def test_nonsense_sends_nothing_and_only_delays(first: bytes) -> None:
    async with host(first, stays=True) as (port, got):
        outcome = await sent(port)
    assert outcome.state is DeliveryState.DELAYED
    assert got == []


@pytest.mark.parametrize("third", [b"354 go on\r\n", b"554 5.5.1 no valid recipients\r\n"])
async def test_a_refused_recipient_is_final_and_nobody_gets_an_empty_mail(third: bytes) -> None:
    async with host(b"250 ok\r\n550 5.1.1 unknown\r\n" + third, stays=True) as (port, got):
        outcome = await sent(port, 60.0)
    assert (outcome.state, outcome.enhanced) == (DeliveryState.FAILED, "5.1.1")
    assert got == []


@pytest.mark.parametrize(
    "second", [b"", b"250-\r\n" * 20_000, b"250 " + b"x" * 100_000, b"taken\r\n", b"421 later\r\n"]
)
async def test_nonsense_in_answer_to_a_mail_is_no_yes(second: bytes) -> None:
    async with host(ANNOUNCED, second) as (port, _):
        assert (await sent(port)).state is DeliveryState.DELAYED


async def test_random_octets_never_mean_that_a_mail_went() -> None:
    chance = random.Random(7)
    pieces = [b"250 ", b"250-", b"354 ", b"550 ", b"421 ", b"\r\n", b"\n", b"\r", b"ok", b"\x00", b"5.1.1 "]
    for _ in range(60):
        first = b"".join(chance.choices(pieces, k=chance.randrange(12)))
        async with host(first, cut=True) as (port, _):
            assert (await sent(port)).state is not DeliveryState.DELIVERED
