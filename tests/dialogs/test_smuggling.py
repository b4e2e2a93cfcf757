"""What looks like the end of data and is not, in DATA and in BDAT, cut at every octet."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.dialogs.house import Client, open_house
from tests.unit.inbound.listener.test_intake import SMUGGLING

HIDDEN = b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<victim@gw.test>\r\nDATA\r\nhidden\r\n"
REFUSED = "550 5.6.0 the message has a NUL octet, or a CR or LF that is not part of CRLF"


async def send_cut(client: Client, octets: bytes, at: int) -> None:
    """Send in two pieces that the server reads apart: its loop is ours, two turns are enough."""
    client.send(octets[:at])
    for _ in range(4):
        await asyncio.sleep(0)
    client.send(octets[at:])


async def begin(client: Client) -> None:
    assert (await client.ask("MAIL FROM:<joe@b.test>")).startswith("250 ")
    assert (await client.ask("RCPT TO:<sm@gw.test>")).startswith("250 ")


@pytest.mark.parametrize("form", SMUGGLING)
async def test_no_form_smuggles_through_data(form: bytes, trust: ssl.SSLContext) -> None:
    async with open_house(None, trust) as house:
        for at in range(len(b"text" + form) + 2):
            client = await house.connect()
            assert (await client.line()).startswith("220 ")
            assert (await client.ask("HELO client.test")).startswith("250 ")
            await begin(client)
            assert (await client.ask("DATA")).startswith("354 ")
            await send_cut(client, b"text" + form + HIDDEN + b".\r\n", at)
            assert await client.reply() == REFUSED
            assert await client.ask("NOOP") == "250 2.0.0 ok"
            await client.close()
        assert house.door.deposits == []


@pytest.mark.parametrize("form", SMUGGLING)
async def test_no_form_smuggles_through_bdat(form: bytes, trust: ssl.SSLContext) -> None:
    body = b"text" + form + HIDDEN
    async with open_house(None, trust) as house:
        for at in range(len(b"text" + form) + 2):
            client = await house.connect()
            assert (await client.line()).startswith("220 ")
            assert (await client.ask("HELO client.test")).startswith("250 ")
            await begin(client)
            await send_cut(client, b"BDAT %d LAST\r\n" % len(body) + body, at)
            assert await client.reply() == REFUSED
            assert await client.ask("NOOP") == "250 2.0.0 ok"
            await client.close()
        assert house.door.deposits == []


async def test_an_honest_message_passes_wherever_it_is_cut(trust: ssl.SSLContext) -> None:
    stuffed = b"Subject: a\r\n\r\n..\r\n...\r\n.b\r\n.\r\n"
    async with open_house(None, trust) as house:
        client = await house.connect()
        assert (await client.line()).startswith("220 ")
        assert (await client.ask("HELO client.test")).startswith("250 ")
        for at in range(len(stuffed) + 1):
            await begin(client)
            assert (await client.ask("DATA")).startswith("354 ")
            await send_cut(client, stuffed, at)
            assert (await client.reply()).startswith("250 2.6.0")
        await client.close()
        assert {one.octets for one in house.door.deposits} == {b"Subject: a\r\n\r\n.\r\n..\r\nb\r\n"}
        assert len(house.door.deposits) == len(stuffed) + 1
