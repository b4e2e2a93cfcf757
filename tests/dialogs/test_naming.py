"""XCLIENT and XFORWARD on the real listener: who may say them, and what they change."""

from __future__ import annotations

import ssl
from ipaddress import ip_network

import pytest

from gateway.inbound.listener import DoorLimits
from tests.dialogs.house import Client, House, open_house

SPEAKERS = (ip_network("127.0.0.9/32"),)
OFFERED = [
    "250-XCLIENT NAME ADDR PORT PROTO HELO",
    "250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE",
]
AUTH_FIRST = "530 5.7.0 sign in first: with an app password, or another way that EHLO lists"
NOT_YOURS = "550 5.7.0 this command is for listed peers only"


async def listed(house: House, *, tls: bool = False) -> Client:
    client = await house.connect(source="127.0.0.9", tls=tls)
    assert await client.line() == "220 gw.test ESMTP"
    return client


async def offers(client: Client) -> list[str]:
    client.send(b"EHLO client.test\r\n")
    said = [await client.line()]
    while said[-1][3] == "-":
        said.append(await client.line())
    return [line for line in said if line[4:].startswith("X")]


async def deposit(client: Client) -> str:
    for command in ("MAIL FROM:<joe@b.test>", "RCPT TO:<sm@gw.test>"):
        assert (await client.ask(command)).startswith("250 ")
    assert (await client.ask("DATA")).startswith("354 ")
    return await client.ask("words\r\n.")


async def test_only_listed_peers_are_offered_them_and_may_say_them(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, speakers=SPEAKERS) as house:
        client = await listed(house)
        assert await offers(client) == OFFERED
        await client.close()
        stranger = await house.connect()
        assert await stranger.line() == "220 gw.test ESMTP"
        assert await offers(stranger) == []
        assert await stranger.ask("XCLIENT ADDR=198.51.100.7") == NOT_YOURS
        assert await stranger.ask("XFORWARD IDENT=4fXyZ") == NOT_YOURS
        assert (await deposit(stranger)).startswith("250 2.6.0")
        assert house.door.deposits[0].peer.address == "127.0.0.1"
        assert house.door.deposits[0].peer.forwarded is None
        await stranger.close()


async def test_xclient_begins_another_clients_session(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, speakers=SPEAKERS) as house:
        client = await listed(house)
        await offers(client)
        assert await client.ask("XCLIENT NAME=desk.example ADDR=198.51.100.7 PORT=4711") == "220 gw.test ESMTP"
        assert await client.ask("MAIL FROM:<joe@b.test>") == "503 5.5.1 say EHLO first, or LHLO where LMTP is spoken"
        assert await offers(client) == OFFERED
        assert (await deposit(client)).startswith("250 2.6.0")
        assert await client.ask("XCLIENT ADDR=IPV6:2001:db8::7") == "220 gw.test ESMTP"
        await offers(client)
        assert (await deposit(client)).startswith("250 2.6.0")
        assert await client.ask("XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]") == "220 gw.test ESMTP"
        peers = [one.peer for one in house.door.deposits]
        assert [(peer.address, peer.port) for peer in peers] == [("198.51.100.7", 4711), ("2001:db8::7", 0)]
        await client.close()


@pytest.mark.parametrize("command", ["XCLIENT ADDR=198.51.100.7", "XFORWARD IDENT=4fXyZ"])
async def test_neither_is_said_within_a_message(command: str, trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, speakers=SPEAKERS) as house:
        client = await listed(house)
        await offers(client)
        assert (await client.ask("MAIL FROM:<joe@b.test>")).startswith("250 ")
        assert await client.ask(command) == "503 5.5.1 a message is under way; say RSET to drop it"
        assert (await client.ask("RSET")).startswith("250 ")
        assert (await client.ask(command))[:3] in {"220", "250"}
        await client.close()


@pytest.mark.parametrize("command", ["XCLIENT", "XCLIENT LOGIN=joe", "XCLIENT ADDR=x", "XFORWARD", "XFORWARD ADDR="])
async def test_what_is_not_offered_is_refused_and_changes_nothing(command: str, trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, speakers=SPEAKERS) as house:
        client = await listed(house)
        await offers(client)
        said = await client.ask(command)
        assert said == "501 5.5.4 say NAME=value once for each attribute that is offered, values in xtext"
        assert (await deposit(client)).startswith("250 2.6.0")
        assert house.door.deposits[0].peer.address == "127.0.0.9"
        await client.close()


async def test_nobody_is_believed_before_tls_and_nobody_signed_in_stays_so(
    server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with open_house(server, trust, require_auth=True, speakers=SPEAKERS) as house:
        client = await listed(house)
        assert await offers(client) == []
        assert await client.ask("XCLIENT ADDR=198.51.100.7") == "530 5.7.0 say STARTTLS first"
        assert (await client.ask("STARTTLS")).startswith("220 ")
        await client.start_tls()
        assert await offers(client) == OFFERED
        assert await client.ask("AUTH PLAIN AGpvZQByaWdodA==") == "235 2.7.0 signed in"
        assert await client.ask("XCLIENT ADDR=198.51.100.7") == "220 gw.test ESMTP"
        await offers(client)
        assert await client.ask("MAIL FROM:<joe@b.test>") == AUTH_FIRST
        assert await client.ask("AUTH PLAIN AGpvZQB3cm9uZw==") == "535 5.7.8 The name or the app password is wrong."
        assert house.door.guessed_from == ["127.0.0.9", "198.51.100.7"]
        await client.close()


async def test_guesses_of_one_client_do_not_count_for_the_next(server: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    limits = DoorLimits(auth_failures=2, guess_seconds=0.001)
    async with open_house(server, trust, implicit_tls=True, require_auth=True, speakers=SPEAKERS, limits=limits) as it:
        client = await listed(it, tls=True)
        for last in range(5):
            assert await client.ask(f"XCLIENT ADDR=198.51.100.{last}") == "220 gw.test ESMTP"
            await offers(client)
            assert (await client.ask("AUTH PLAIN AGpvZQB3cm9uZw==")).startswith("535 ")
        assert (await client.ask("AUTH PLAIN AGpvZQB3cm9uZw==")).startswith("535 ")
        assert await client.line() == "421 4.7.0 too many failed sign-ins; closing"
        await client.close()


async def test_named_clients_are_counted_by_their_own_addresses(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(connections_per_address=1)
    async with open_house(None, trust, speakers=SPEAKERS, limits=limits) as house:
        first, second, third = [await listed(house) for _ in range(3)]
        assert await first.ask("XCLIENT ADDR=198.51.100.7") == "220 gw.test ESMTP"
        assert await second.ask("XCLIENT ADDR=198.51.100.8") == "220 gw.test ESMTP"
        assert await third.ask("XCLIENT ADDR=198.51.100.7") == (
            "421 4.7.0 too many connections from your address; close some and try again"
        )
        assert await third.is_closed()
        assert await first.ask("XCLIENT ADDR=198.51.100.9") == "220 gw.test ESMTP"
        assert await second.ask("XCLIENT ADDR=198.51.100.7") == "220 gw.test ESMTP"
        for client in (first, second, third):
            await client.close()
        await house.settle()
        assert house.listener._state.occupancy.total == 0
        assert not house.listener._state.occupancy._by_address


async def test_clients_named_without_end_are_errors(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(junk_commands=3, soft_errors=100, hard_errors=3)
    async with open_house(None, trust, speakers=SPEAKERS, limits=limits) as house:
        client = await listed(house)
        for _ in range(5):
            assert (await client.ask("XFORWARD IDENT=4f")).startswith("250 ")
        assert (await client.ask("XFORWARD IDENT=4f")).startswith("250 ")
        assert await client.line() == "421 4.7.0 too many errors; closing"
        await client.close()


async def test_xforward_tells_of_one_message(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, speakers=SPEAKERS) as house:
        client = await listed(house)
        await offers(client)
        assert await client.ask("XFORWARD NAME=desk.example ADDR=198.51.100.7 PROTO=ESMTP IDENT=4fXyZ") == (
            "250 2.0.0 ok"
        )
        assert (await deposit(client)).startswith("250 2.6.0")
        assert (await deposit(client)).startswith("250 2.6.0")
        first, second = (one.peer for one in house.door.deposits)
        assert first.forwarded is not None
        assert (first.forwarded.ident, first.forwarded.address) == ("4fXyZ", "198.51.100.7")
        assert (first.address, second.address) == ("127.0.0.9", "127.0.0.9")
        assert second.forwarded is None
        await client.close()


async def test_a_client_behind_a_proxy_may_be_listed_and_the_proxy_not(trust: ssl.SSLContext) -> None:
    far = (ip_network("198.51.100.7/32"),)
    async with open_house(None, trust, proxies=SPEAKERS, speakers=far) as house:
        for address, wanted in (("198.51.100.7", OFFERED), ("198.51.100.8", [])):
            client = await house.connect(source="127.0.0.9")
            client.send(f"PROXY TCP4 {address} 127.0.0.1 56324 587\r\n".encode())
            assert await client.line() == "220 gw.test ESMTP"
            assert await offers(client) == wanted
            await client.close()
