from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from gateway.authenticator.accounts import MAX_FAILURES
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated, RateExceeded
from gateway.store import tables
from tests.keyed_site import PASSWORD, KeyedSite


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        yield running


async def wrong(site: KeyedSite, username: str, password: str, code: str, address: str = "192.0.2.1") -> str:
    with pytest.raises(NotAuthenticated) as caught:
        await site.authenticator.sign_in(username, password, code, address)
    return caught.value.advice


async def app_password(site: KeyedSite, person: str, **more: object) -> str:
    made = await site.proofs.make_app_password()
    arguments = {"person": person, "kind": "app_password", "label": "mutt", "lookup": made.lookup, "data": made.data}
    await site.operator.enact("add_credential", **arguments, **more)
    return made.clear


# ---- signing in


async def test_name_password_and_code_open_a_session_that_the_keyholder_admits(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    codes = await site.enrol(erin)
    signed_in = await site.authenticator.sign_in(" Erin", PASSWORD, codes.at(site.clock()), "192.0.2.1")
    assert signed_in.statement.person_id == erin
    assert signed_in.statement.assurance == 2
    await site.keyholder.admit(signed_in.statement, signed_in.signature)
    assert await site.keyholder.list(signed_in.token, case) == ()


async def test_every_wrong_thing_gets_the_same_answer(site: KeyedSite) -> None:
    erin = await site.employee()
    codes = await site.enrol(erin)
    await site.employee("frank")
    now = codes.at(site.clock())
    answers = {
        await wrong(site, "erin", "wrong", now, "192.0.2.1"),
        await wrong(site, "erin", PASSWORD, "000000", "192.0.2.2"),
        await wrong(site, "erin", PASSWORD, "", "192.0.2.3"),
        await wrong(site, "nobody", PASSWORD, now, "192.0.2.4"),
        await wrong(site, "frank", PASSWORD, now, "192.0.2.5"),
        await wrong(site, "", "", "", "192.0.2.6"),
    }
    assert len(answers) == 1


async def test_a_code_is_good_once(site: KeyedSite) -> None:
    codes = await site.enrol(await site.employee())
    code = codes.at(site.clock())
    await site.authenticator.sign_in("erin", PASSWORD, code, "192.0.2.1")
    await wrong(site, "erin", PASSWORD, code)
    site.clock.forward(seconds=61)
    await site.authenticator.sign_in("erin", PASSWORD, codes.at(site.clock()), "192.0.2.1")


async def test_a_code_is_good_once_for_two_at_the_same_time(site: KeyedSite) -> None:
    codes = await site.enrol(await site.employee())
    code = codes.at(site.clock())
    attempts = (site.authenticator.sign_in("erin", PASSWORD, code, f"192.0.2.{n}") for n in range(4))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in outcomes) == 1


async def test_a_password_without_a_second_factor_is_not_enough(site: KeyedSite) -> None:
    erin = await site.employee()
    data = await site.proofs.make_password(erin, PASSWORD)
    await site.operator.enact("add_credential", person=erin, kind="password", label="password", data=data)
    await wrong(site, "erin", PASSWORD, "")


async def test_a_new_password_takes_the_place_of_the_old_one_and_ends_sessions(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    codes = await site.enrol(erin)
    token = await site.signed_in(erin)
    data = await site.proofs.make_password(erin, "another fine long one")
    await site.operator.enact("add_credential", person=erin, kind="password", label="password", data=data)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(token, case)
    await wrong(site, "erin", PASSWORD, codes.at(site.clock()))
    await site.authenticator.sign_in("erin", "another fine long one", codes.at(site.clock()), "192.0.2.1")


async def test_a_credential_row_that_nobody_signed_signs_nobody_in(site: KeyedSite) -> None:
    codes = await site.enrol(await site.employee())
    frank = await site.employee("frank")
    known = await site.proofs.make_password(frank, "a password of the thief")
    table = tables.credential
    await site.execute(update(table).where(table.c.kind == "password").values(data=known, person_id=frank))
    await site.execute(update(table).where(table.c.kind == "totp").values(person_id=frank))
    with capture_logs() as told:
        await wrong(site, "frank", "a password of the thief", codes.at(site.clock()))
    assert {line["table"] for line in told if line["event"] == "alarm"} == {"credential"}


async def test_guesses_are_slowed_down_for_one_account_from_one_address_and_nobody_else(site: KeyedSite) -> None:
    codes = await site.enrol(await site.employee())
    site.clock.stand()
    for username in ("erin", "nobody"):
        for _ in range(3):
            await wrong(site, username, "guess", "000000")
        with pytest.raises(RateExceeded):
            await site.authenticator.sign_in(username, "guess", "000000", "192.0.2.1")
    await site.authenticator.sign_in("erin", PASSWORD, codes.at(site.clock()), "198.51.100.7")


async def test_a_hundred_failures_in_a_row_need_an_administrator(site: KeyedSite) -> None:
    erin = await site.employee()
    codes = await site.enrol(erin)
    password = await site.database.read(
        lambda c: c.execute(select(tables.credential.c.id).where(tables.credential.c.kind == "password")).scalar_one()
    )
    use = {"credential_id": password, "failures": MAX_FAILURES - 1}
    await site.execute(tables.credential_use.insert().values(**use))
    await wrong(site, "erin", "guess", "000000", "192.0.2.9")
    await wrong(site, "erin", PASSWORD, codes.at(site.clock()))
    await site.proofs.forgive(erin)
    await site.authenticator.sign_in("erin", PASSWORD, codes.at(site.clock()), "192.0.2.2")


async def test_poor_passwords_are_not_made(site: KeyedSite) -> None:
    erin = await site.employee()
    for password in ("short", "password123", "aaaaaaaaaaaa", "x" * 300):
        with pytest.raises(Malformed):
            await site.proofs.make_password(erin, password)


# ---- app passwords


async def test_an_app_password_is_known_by_username_and_address(site: KeyedSite) -> None:
    erin = await site.employee()
    clear = await app_password(site, erin)
    for name in ("erin", "ERIN@agency.example", " erin@agency.example"):
        principal = await site.authenticator.check_app_password(name, clear, "192.0.2.1")
        assert principal.person_id == erin
    spaced = clear.replace("-", " ").upper()
    assert (await site.authenticator.check_app_password("erin", spaced, "192.0.2.1")).person_id == erin


async def test_an_app_password_fails_for_others_after_its_end_and_from_elsewhere(site: KeyedSite) -> None:
    erin = await site.employee()
    await site.employee("frank")
    clear = await app_password(
        site, erin, networks="192.0.2.0/24 2001:db8::/32", expires_us=site.clock.now_us + 60_000_000
    )
    check = site.authenticator.check_app_password
    await check("erin", clear, "2001:db8::5")
    for name, password, address in (
        ("frank", clear, "192.0.2.1"),
        ("erin", clear, "203.0.113.5"),
        ("erin", clear[:-1], "192.0.2.1"),
        ("erin", "", "192.0.2.1"),
    ):
        with pytest.raises(NotAuthenticated):
            await check(name, password, address)
    site.clock.forward(seconds=61)
    with pytest.raises(NotAuthenticated):
        await check("erin", clear, "192.0.2.1")


async def test_a_revoked_app_password_is_refused_at_once_and_its_last_use_is_kept(site: KeyedSite) -> None:
    erin = await site.employee()
    clear = await app_password(site, erin)
    principal = await site.authenticator.check_app_password("erin", clear, "192.0.2.1")
    async with asyncio.timeout(60):
        while (
            await site.database.read(lambda c: c.execute(select(tables.credential_use.c.last_used_us)).scalar()) is None
        ):
            await asyncio.sleep(0.02)
    await site.operator.enact("revoke_credential", person=erin, credential=principal.credential_id)
    with pytest.raises(NotAuthenticated):
        await site.authenticator.check_app_password("erin", clear, "192.0.2.1")


async def test_a_person_signed_in_makes_their_own_app_password_and_nobody_else_does(site: KeyedSite) -> None:
    erin = await site.employee()
    token = await site.signed_in(erin)
    made = await site.authenticator.make_app_password(token)
    await site.keyholder.enact(
        token, "add_credential", person=erin, kind="app_password", label="phone", lookup=made.lookup, data=made.data
    )
    assert (await site.authenticator.check_app_password("erin", made.clear, "192.0.2.1")).person_id == erin
    for call in (site.authenticator.make_app_password(b"\0" * 32), site.authenticator.make_totp(b"\0" * 32)):
        with pytest.raises(NotAuthenticated):
            await call
    with pytest.raises(NotAllowed):
        await site.proofs.make_totp("nobody")
