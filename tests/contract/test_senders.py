"""Who vouches for a mail from outside, by a name server of our own and signatures that are real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from gateway.clock import system_clock
from gateway.domain.authentication import Method, Result
from gateway.inbound.senders import SenderCheck, organisation, resolver_of
from gateway.inbound.spf import Sending, sending_of
from gateway.outbound.dkim import Signer, sign
from tests.nameserver import Nameserver, nameserver, text

HOST = "mx.secure.example.gov"
SIGNER = Signer("tours.example", "one", ed25519.Ed25519PrivateKey.generate())
ZONE = {
    ("tours.example", "TXT"): ['"v=spf1 ip4:192.0.2.7 -all"'],
    ("_dmarc.tours.example", "TXT"): ['"v=DMARC1; p=reject"'],
    (SIGNER.record[0], "TXT"): [text(SIGNER.record[1].encode())],
    ("plain.example", "TXT"): ['"v=spf1 ip4:192.0.2.7 ~all"'],
    ("strict.example", "TXT"): ['"v=spf1 ip4:192.0.2.7 -all"'],
    ("mail.strict.example", "TXT"): ['"v=spf1 ip4:192.0.2.7 -all"'],
    ("_dmarc.strict.example", "TXT"): ['"v=DMARC1; p=none; aspf=s; adkim=s"'],
}
OURS = Sending(ip_address("192.0.2.7"), "mail.tours.example", "ines@tours.example")
ELSEWHERE = Sending(ip_address("198.51.100.9"), "host.evil.example", "ines@tours.example")


def mail(author: str = "Ines <ines@tours.example>", more: str = "") -> bytes:
    return f"{more}From: {author}\r\nSubject: Concert\r\n\r\nAt seven.\r\n".encode()


def signed(octets: bytes, signer: Signer = SIGNER) -> bytes:
    return sign(octets, (signer,), datetime.now(UTC))


@pytest.fixture
def opened() -> Iterator[list[SenderCheck]]:
    checks: list[SenderCheck] = []
    yield checks
    for one in checks:
        one.close()


@asynccontextmanager
async def looking(
    opened: list[SenderCheck], silent: frozenset[str] = frozenset(), **more: Any
) -> AsyncIterator[tuple[SenderCheck, Nameserver]]:
    async with nameserver(ZONE, silent) as server:
        opened.append(SenderCheck(HOST, system_clock, resolver_of([server.place]), **more))
        yield opened[-1], server


async def test_mail_of_the_domains_own_host_and_key_is_vouched_for(opened: list[SenderCheck]) -> None:
    async with looking(opened) as (check, _):
        found = await check.look(signed(mail()), OURS)
    assert found.outcome is Result.PASS
    assert str(found) == (
        f"{HOST}; spf=pass smtp.mailfrom=ines@tours.example; dkim=pass header.d=tours.example header.s=one; "
        "dmarc=pass header.from=tours.example"
    )


async def test_either_of_the_two_is_enough_and_none_is_not(opened: list[SenderCheck]) -> None:
    async with looking(opened) as (check, _):
        forwarded = await check.look(signed(mail()), ELSEWHERE)
        unsigned = await check.look(mail(), OURS)
        forged = await check.look(mail(), ELSEWHERE)
    assert (forwarded.of(Method.SPF), forwarded.of(Method.DMARC)) == (Result.FAIL, Result.PASS)
    assert (unsigned.of(Method.DKIM), unsigned.of(Method.DMARC)) == (Result.NONE, Result.PASS)
    assert (forged.outcome, forged.of(Method.DMARC)) == (Result.FAIL, Result.FAIL)


async def test_another_domains_proof_does_not_vouch_for_the_author(opened: list[SenderCheck]) -> None:
    evil = Sending(ip_address("192.0.2.7"), "mail.plain.example", "x@plain.example")
    async with looking(opened) as (check, _):
        found = await check.look(mail(), evil)
    assert found.of(Method.SPF) is Result.PASS
    assert found.outcome is Result.FAIL
    assert not found.is_aligned


async def test_without_a_policy_a_proof_of_the_domain_still_vouches(opened: list[SenderCheck]) -> None:
    sending = Sending(ip_address("192.0.2.7"), "h.example", "x@plain.example")
    async with looking(opened) as (check, _):
        found = await check.look(mail("x@plain.example"), sending)
        nobody = await check.look(mail("x@unknown.example"), Sending(OURS.address, "h.example", "x@unknown.example"))
    assert (found.of(Method.DMARC), found.outcome) == (Result.NONE, Result.PASS)
    assert (nobody.of(Method.SPF), nobody.outcome) == (Result.NONE, Result.NONE)


async def test_a_strict_policy_wants_the_very_domain(opened: list[SenderCheck]) -> None:
    sending = Sending(ip_address("192.0.2.7"), "h.example", "x@mail.strict.example")
    async with looking(opened) as (check, _):
        assert (await check.look(mail("x@strict.example"), sending)).outcome is Result.FAIL
        assert (await check.look(mail("x@mail.strict.example"), sending)).outcome is Result.PASS


async def test_a_subdomain_falls_under_its_organisations_policy(opened: list[SenderCheck]) -> None:
    async with looking(opened) as (check, server):
        assert (await check.look(signed(mail("x@news.tours.example")), ELSEWHERE)).of(Method.DMARC) is Result.PASS
        assert ("_dmarc.news.tours.example", "TXT") in server.asked
    assert organisation("a.b.co.uk") == "b.co.uk"
    assert organisation("localhost") == "localhost"


@pytest.mark.parametrize("author", ["", "no address", "a@tours.example, b@evil.example", "\r\nFrom: b@evil.example"])
async def test_mail_of_no_one_author_is_vouched_for_by_nobody(opened: list[SenderCheck], author: str) -> None:
    async with looking(opened) as (check, _):
        found = await check.look(signed(mail(author)), OURS)
    assert not found.is_aligned
    assert found.of(Method.DMARC) is Result.PERMERROR


async def test_where_who_connects_is_not_who_sends_spf_says_nothing(opened: list[SenderCheck]) -> None:
    async with looking(opened, knows_origins=False) as (check, server):
        unsigned = await check.look(mail(), OURS)
        good = await check.look(signed(mail()), ELSEWHERE)
        assert ("tours.example", "TXT") not in server.asked
    assert (unsigned.of(Method.SPF), unsigned.outcome) == (Result.NONE, Result.NONE)
    assert good.outcome is Result.PASS
    assert sending_of("", "h.example", "") is None
    assert sending_of("fe80::1%eth0", "h.example", "") is not None


async def test_the_null_sender_is_known_by_its_host(opened: list[SenderCheck]) -> None:
    async with looking(opened) as (check, _):
        found = await check.look(mail(), Sending(OURS.address, "tours.example", ""))
    assert "spf=pass smtp.helo=tours.example" in str(found)
    assert found.outcome is Result.PASS


async def test_a_silent_name_server_vouches_for_nothing_and_holds_nobody_up(opened: list[SenderCheck]) -> None:
    silent = frozenset({"tours.example", "_dmarc.tours.example", SIGNER.record[0]})
    async with looking(opened, silent, seconds=0.5) as (check, _):
        found = await check.look(signed(mail()), OURS)
    assert {found.of(one) for one in (Method.SPF, Method.DKIM, Method.DMARC)} == {Result.TEMPERROR}
    assert found.outcome is Result.NONE


async def test_no_name_server_at_all_vouches_for_nothing(opened: list[SenderCheck]) -> None:
    async with nameserver({}) as server:
        place = server.place
    opened.append(SenderCheck(HOST, system_clock, resolver_of([place]), seconds=2))
    assert (await opened[0].look(signed(mail()), OURS)).outcome is Result.NONE


async def test_a_mail_makes_us_ask_only_so_much(opened: list[SenderCheck]) -> None:
    fields = "".join(
        f"DKIM-Signature: v=1; a=rsa-sha256; d=d{one}.example; s=s; h=from; bh=x; b=x\r\n" for one in range(500)
    )
    async with looking(opened) as (check, server):
        await check.look(mail(more=fields), OURS)
        assert len(server.asked) < 30
        assert len(server.asked) == len(set(server.asked))


# ---- behind a host of the site's own

RELAY = "relay.agency.example.gov"
GOOD = f"Authentication-Results: {RELAY};\r\n\tdmarc=pass (p=reject) header.from=tours.example\r\n"


async def believed(opened: list[SenderCheck], octets: bytes) -> Any:
    async with looking(opened, authserv_ids=frozenset({RELAY})) as (check, server):
        found = await check.look(octets, ELSEWHERE)
        assert server.asked == []
    return found


async def test_behind_the_sites_own_host_its_results_count_and_nothing_is_asked(opened: list[SenderCheck]) -> None:
    found = await believed(opened, mail(more=GOOD))
    assert found.outcome is Result.PASS
    assert str(found) == f"{RELAY}; dmarc=pass header.from=tours.example"


@pytest.mark.parametrize(
    "field",
    [
        "Authentication-Results: elsewhere.example; dmarc=pass header.from=tours.example\r\n",
        f"Authentication-Results: elsewhere.example ({RELAY}); dmarc=pass header.from=tours.example\r\n",
        f"Authentication-Results: {RELAY}.evil.example; dmarc=pass header.from=tours.example\r\n",
        f"Authentication-Results: {RELAY}; dmarc=pass header.from=evil.example\r\n",
        f'Authentication-Results: {RELAY}; spf=pass smtp.mailfrom="; dmarc=pass header.from=tours.example"@e.eu\r\n',
        f"Authentication-Results: {RELAY}; spf=fail (it said; dmarc=pass header.from=tours.example)\r\n",
        f"Authentication-Results: {RELAY}; spf=fail ((a) ; dmarc=pass header.from=tours.example)\r\n",
        f"Authentication-Results: {RELAY}; dmarc=fail header.from=tours.example\r\n{GOOD.replace('pass', 'passed')}",
        f"Authentication-Results: {RELAY}; spf=pass\r\nReceived: from evil.example\r\n{GOOD}",
        f"X-Authentication-Results: {RELAY}; dmarc=pass header.from=tours.example\r\n",
        "",
    ],
)
async def test_what_others_wrote_there_counts_for_nothing(opened: list[SenderCheck], field: str) -> None:
    found = await believed(opened, mail(more=field))
    assert not found.is_aligned
    assert found.outcome is not Result.PASS


async def test_several_fields_of_the_host_count_together(opened: list[SenderCheck]) -> None:
    fields = f"Authentication-Results: {RELAY}; spf=pass smtp.mailfrom=x@tours.example\r\n{GOOD}"
    found = await believed(opened, mail(more=fields))
    assert (found.of(Method.SPF), found.outcome) == (Result.PASS, Result.PASS)


async def test_a_large_mail_is_checked_as_well(opened: list[SenderCheck]) -> None:
    async with looking(opened, seconds=60.0) as (check, _):
        found = await check.look(signed(mail() + b"words and words \r\n" * 400_000), OURS)
    assert found.of(Method.DKIM) is Result.PASS
