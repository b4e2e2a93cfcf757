"""Peers that leave, listeners that stop: what was not whole is not kept, what was begun is finished."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from gateway.inbound.listener import DoorLimits
from tests.dialogs.house import PATIENCE, open_house

BEFORE = b"HELO a.test\r\nMAIL FROM:<joe@b.test>\r\nRCPT TO:<sm@gw.test>\r\n"
FORMS = {
    "data": BEFORE + b"DATA\r\na\r\n..b\r\n.\r\n",
    "bdat": BEFORE + b"BDAT 3\r\na\r\nBDAT 4 LAST\r\n.b\r\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_rude", [False, True], ids=["closed", "reset"])
async def test_a_peer_that_leaves_at_any_octet_deposits_nothing_unless_all_was_said(
    form: str, is_rude: bool, trust: ssl.SSLContext
) -> None:
    whole = FORMS[form]
    async with open_house(None, trust) as house:
        for at in range(len(whole)):
            client = await house.connect()
            client.send(whole[:at])
            await asyncio.sleep(0.001)
            if is_rude:
                client.reset()
            await client.close()
        await house.settle()
        assert house.door.deposits == []
        client = await house.connect()
        client.send(whole)
        client.writer.write_eof()
        lines = [await client.line() for _ in range(6)]
        assert lines[-1].startswith("250 2.6.0")
        await client.close()
        assert [one.octets for one in house.door.deposits] == [b"a\r\n.b\r\n"]


async def test_a_commit_goes_on_when_the_peer_has_left(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        house.door.gate.clear()
        client = await house.connect()
        await client.begin_message()
        assert (await client.ask("DATA")).startswith("354 ")
        client.send(b"a\r\n.\r\n")
        await house.commits()
        client.reset()
        await house.settle()
        assert house.door.deposits == []
        house.door.gate.set()
        async with asyncio.timeout(PATIENCE):
            while not house.door.deposits:
                await asyncio.sleep(0.001)


async def test_no_reply_is_given_before_the_commit_returned(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        house.door.gate.clear()
        client = await house.connect()
        await client.begin_message()
        assert (await client.ask("DATA")).startswith("354 ")
        client.send(b"a\r\n.\r\nNOOP\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readline(), 0.05)
        house.door.gate.set()
        assert await client.line() == "250 2.6.0 SM-1"
        assert await client.line() == "250 2.0.0 ok"
        await client.close()


async def test_a_listener_that_stops_tells_the_idle_and_waits_for_a_message_under_way(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        idle, sending, waiting = [await house.connect() for _ in range(3)]
        assert (await idle.line()).startswith("220 ")
        await sending.begin_message()
        assert (await sending.ask("DATA")).startswith("354 ")
        await waiting.begin_message()
        closing = asyncio.create_task(house.listener.close(grace=PATIENCE))
        assert await idle.line() == "421 4.3.2 this server is stopping; try again in a minute"
        assert await idle.is_closed()
        assert await waiting.line() == "421 4.3.2 this server is stopping; try again in a minute"
        assert not closing.done()
        sending.send(b"a\r\n.\r\n")
        assert await sending.line() == "250 2.6.0 SM-1"
        assert await sending.line() == "421 4.3.2 this server is stopping; try again in a minute"
        await closing
        with pytest.raises(OSError):
            await house.connect()
        for client in (idle, sending, waiting):
            await client.close()


async def test_a_listener_that_stops_lets_chunks_go_on_to_the_last(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        client = await house.connect()
        await client.begin_message()
        client.send(b"BDAT 3\r\na\r\n")
        assert await client.line() == "250 2.0.0 ok"
        closing = asyncio.create_task(house.listener.close(grace=PATIENCE))
        await asyncio.sleep(0.01)
        client.send(b"BDAT 3 LAST\r\nb\r\n")
        assert await client.line() == "250 2.6.0 SM-1"
        assert (await client.line()).startswith("421 4.3.2")
        await closing
        await client.close()


async def test_a_message_that_outlasts_the_grace_is_cut_off(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        client = await house.connect()
        await client.begin_message()
        assert (await client.ask("DATA")).startswith("354 ")
        await house.listener.close(grace=0.05)
        assert await client.is_closed()
        assert house.door.abandoned == 1
        await client.close()


async def test_a_commit_under_way_is_awaited_beyond_the_grace_of_its_peer(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        house.door.gate.clear()
        client = await house.connect()
        await client.begin_message()
        assert (await client.ask("DATA")).startswith("354 ")
        client.send(b"a\r\n.\r\n")
        await house.commits()
        closing = asyncio.create_task(house.listener.close(grace=0.3))
        await asyncio.sleep(0.4)
        assert not closing.done()
        house.door.gate.set()
        await closing
        assert len(house.door.deposits) == 1
        await client.close()


async def test_nothing_buffered_is_obeyed_after_the_connection_closed(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, limits=DoorLimits(hard_errors=1)) as house:
        client = await house.connect()
        client.send(b"FOO\r\n" + BEFORE + b"DATA\r\na\r\n.\r\n")
        assert (await client.line()).startswith("220 ")
        assert (await client.line()).startswith("500 ")
        assert (await client.line()).startswith("421 4.7.0")
        assert await client.is_closed()
        await client.close()
        assert house.door.deposits == []
