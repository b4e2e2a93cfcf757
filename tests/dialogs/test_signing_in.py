"""Signing in by access token (RFC 7628), where the listener offers that."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.inbound.listener import ClientTls, DoorLimits, Offer
from tests.dialogs.certificates import make_certificate
from tests.dialogs.house import Client, House, open_house

WANTED = b'{"status":"invalid_token"}'
LIMITS = DoorLimits(error_delay_seconds=0.001, guess_seconds=0.001, auth_failures=3)


@pytest.fixture
async def house(server: ssl.SSLContext, trust: ssl.SSLContext) -> AsyncIterator[House]:
    offer = Offer(passwords=False, token_wanted=WANTED)
    async with open_house(server, trust, implicit_tls=True, require_auth=True, limits=LIMITS, offer=offer) as one:
        yield one


async def greeted(house: House) -> Client:
    client = await house.connect(tls=True)
    await client.line()
    await client.ask("EHLO client.test")
    return client


def said(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


RIGHT = said("n,a=joe,\1auth=Bearer right\1\1")
WRONG = said("n,a=joe,\1auth=Bearer wrong\1\1")


async def test_a_token_signs_in_beside_the_command_or_when_asked(house: House) -> None:
    for mechanism, response in (("OAUTHBEARER", RIGHT), ("xoauth2", said("user=joe\1auth=Bearer right\1\1"))):
        client = await greeted(house)
        assert await client.ask(f"AUTH {mechanism} {response}") == "235 2.7.0 signed in"
        await client.ask("QUIT")
        client = await greeted(house)
        assert await client.ask(f"AUTH {mechanism}") == "334 "
        assert await client.ask(response) == "235 2.7.0 signed in"
        assert await client.ask("MAIL FROM:<joe@b.test>") == "250 2.1.0 sender ok"
        await client.ask("QUIT")
    assert {(one.username, one.secret) for one in house.door.attempts} == {("joe", "right")}


async def test_a_wrong_token_is_told_which_is_wanted_then_refused_and_counted(house: House) -> None:
    client = await greeted(house)
    for _ in range(2):
        assert await client.ask(f"AUTH OAUTHBEARER {WRONG}") == f"334 {base64.b64encode(WANTED).decode()}"
        assert (await client.ask("AQ==")).startswith("535 5.7.8 ")
    assert (await client.ask(f"AUTH XOAUTH2 {said('user=joe' + chr(1) + 'auth=Bearer x' + chr(1) * 2)}"))[:4] == "334 "
    assert (await client.ask(""))[:10] == "535 5.7.8 "
    assert await client.line() == "421 4.7.0 too many failed sign-ins; closing"


async def test_who_breaks_off_or_says_too_much_after_a_wrong_token_is_counted_too(house: House) -> None:
    client = await greeted(house)
    await client.ask(f"AUTH OAUTHBEARER {WRONG}")
    assert await client.ask("*") == "501 5.7.0 Auth aborted"
    await client.ask(f"AUTH OAUTHBEARER {WRONG}")
    assert (await client.ask("A" * 20_000))[:10] == "535 5.7.8 "
    await client.ask(f"AUTH OAUTHBEARER {WRONG}")
    await client.ask("AQ==")
    assert (await client.line())[:4] == "421 "


@pytest.mark.parametrize(
    "response",
    ["!!!", "=", said("n,,\1\1"), said("p=tls-unique,,\1auth=Bearer right\1\1"), said("joe\0joe\0right")],
)
async def test_what_is_no_token_is_asked_of_nobody(house: House, response: str) -> None:
    client = await greeted(house)
    assert await client.ask(f"AUTH OAUTHBEARER {response}") == "501 5.5.2 not a sign-in of this mechanism"
    assert house.door.attempts == []
    await client.ask("QUIT")


async def test_a_password_is_refused_in_words_where_there_are_none(house: House) -> None:
    client = await greeted(house)
    refusal = "504 5.5.4 app passwords are off here; sign in by a mechanism that EHLO lists"
    assert await client.ask("AUTH PLAIN AGpvZQByaWdodA==") == refusal
    assert await client.ask("AUTH LOGIN") == refusal
    assert house.door.attempts == []
    await client.ask("QUIT")


async def test_where_no_token_is_taken_none_is_offered(server: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    async with open_house(server, trust, implicit_tls=True, require_auth=True, limits=LIMITS) as house:
        client = await greeted(house)
        refusal = "504 5.5.4 this way to sign in is not offered; EHLO lists those that are"
        assert await client.ask(f"AUTH OAUTHBEARER {RIGHT}") == refusal
        await client.ask("QUIT")


async def test_without_a_certificate_external_is_refused_in_words(trust: ssl.SSLContext, tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path / "server")
    people = ClientTls(chain, key, make_certificate(tmp_path / "people", "people")[0])
    trust = ssl.create_default_context(cafile=chain)
    async with open_house(
        None, trust, implicit_tls=True, require_auth=True, limits=LIMITS, people=people, offer=Offer(passwords=False)
    ) as house:
        client = await greeted(house)
        refusal = "535 5.7.8 show your client certificate as TLS begins, then say AUTH"
        assert await client.ask("AUTH EXTERNAL =") == refusal
        assert house.door.attempts == []
        await client.ask("QUIT")
