"""The keyholder and the authenticator die at each of their steps; what a restart finds is whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.domain.errors import AuthenticatorUnavailable, KeyholderUnavailable, NotAllowed
from gateway.domain.intake import month_of
from gateway.identity.sessions import SessionLimits, new_session
from gateway.store import tables
from gateway.store.sealing import body_key
from tests.keyed_site import PASSWORD, KeyedSite
from tests.tables import make_tables


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[KeyedSite]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    site = KeyedSite(tmp_path, url)
    yield site
    for client in (site.keyholder, site.operator, site.authenticator, site.proofs):
        await client.close()
    site.close()


async def count(site: KeyedSite, table: object) -> int:
    return await site.database.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


async def test_an_opening_killed_before_its_answer_stands_in_the_record(site: KeyedSite) -> None:
    async with site.in_a_process("keyholder.open.entry=kill"):
        erin = await site.employee()
        message = await site.deposit(await site.case(erin))
        token = await site.signed_in(erin)
        with pytest.raises(KeyholderUnavailable):
            await site.keyholder.open(token, message.id)
    (body,) = await site.leaves("opened")
    assert json.loads(body)["facts"]["message"] == message.id
    async with site.in_a_process():
        assert (await site.keyholder.open(token, message.id)).message_id == message.id
    assert len(await site.leaves("opened")) == 2


async def test_a_session_killed_while_it_is_made_is_not_there(site: KeyedSite) -> None:
    async with site.in_a_process("keyholder.session=kill"):
        erin = await site.employee()
        credential = await site.operator.enact("add_credential", person=erin, kind="totp", label="phone", data="x")
        proofs = (credential["credential"],)
        token, statement, signature = new_session(
            site.signing.session, erin, proofs, 2, site.clock.now_us, SessionLimits()
        )
        with pytest.raises(KeyholderUnavailable):
            await site.keyholder.admit(statement, signature)
    assert await count(site, tables.session) == 0
    async with site.in_a_process():
        await site.keyholder.admit(statement, signature)
        await site.keyholder.touch(token)


@pytest.mark.parametrize("passing", [1, 2, 3])
async def test_a_verb_killed_while_it_signs_leaves_nothing_and_can_be_done_again(site: KeyedSite, passing: int) -> None:
    async with site.in_a_process():
        erin = await site.employee()
        cases = [await site.case(erin) for _ in range(2)]
    before = await count(site, tables.leaf)
    async with site.in_a_process(f"keyholder.authority=kill@{passing}"):
        with pytest.raises(KeyholderUnavailable):
            await site.correspondent(*cases)
    assert [await count(site, table) for table in (tables.agreement, tables.designated_user)] == [0, 0]
    async with site.in_a_process():
        cora = await site.correspondent(*cases)
        message = await site.deposit(cases[1])
        assert (await site.keyholder.open(await site.signed_in(cora["person"]), message.id)).message_id == message.id
    assert await count(site, tables.leaf) > before


FILING = ["keyholder.file.before", *(f"keyholder.file@{step}" for step in range(1, 6)), "keyholder.file.after"]


@pytest.mark.parametrize("place", FILING)
async def test_a_filing_killed_anywhere_is_done_once_or_not(site: KeyedSite, place: str) -> None:
    async with site.in_a_process():
        erin = await site.employee()
        case = await site.case(erin)
        await site.operator.enact("add_intake_key", month=month_of(site.clock()))
        message = await site.take_in(case)
    told_of_mail = select(tables.outbox).where(tables.outbox.c.message_id == message.id).subquery()
    name, _, at = place.partition("@")
    async with site.in_a_process(f"{name}=kill@{at or 1}"):
        with pytest.raises(KeyholderUnavailable):
            await site.operator.intake_file(message.id, case)
    places = await site.database.read(lambda c: c.execute(select(tables.message.c.case_id)).scalars().all())
    is_filed = places == [case]
    assert is_filed == (place == "keyholder.file.after")
    assert len(await site.leaves("filed")) == await count(site, told_of_mail) == int(is_filed)
    async with site.in_a_process():
        token = await site.signed_in(erin)
        if not is_filed:
            assert (await site.operator.intake_open(message.id)).message_id == message.id
            with pytest.raises(NotAllowed):
                await site.keyholder.open(token, message.id)
        assert (await site.operator.intake_file(message.id, case))["repeated"] == is_filed
        assert (await site.keyholder.open(token, message.id)).key == body_key(message.content_key, message.id)
    assert len(await site.leaves("filed")) == 1
    assert [await count(site, one) for one in (told_of_mail, tables.recipient, tables.message_wrap)] == [1, 1, 1]


@pytest.mark.parametrize("is_killed", [True, False])
async def test_a_paper_killed_while_its_document_is_linked_is_linked_later_and_once(
    site: KeyedSite, is_killed: bool
) -> None:
    async with site.in_a_process():
        await site.operator.enact("add_intake_key", month=month_of(site.clock()))
        made = await site.operator.enact(
            "open_agreement", programme="cwa", received="2026-01-05", cases=[], fields={"agent-name": "Vale Tours Ltd"}
        )
        message = await site.take_in()
    intake_wrap = select(tables.message_wrap)
    before = await site.database.read(lambda c: c.execute(intake_wrap).all())
    async with site.in_a_process("keyholder.link=kill" if is_killed else ""):
        if is_killed:
            with pytest.raises(KeyholderUnavailable):
                await site.operator.paper_link(made["reference"], message.id)
        else:
            await site.operator.paper_link(made["reference"], message.id)
    assert await count(site, tables.form_document) == int(not is_killed)
    after = await site.database.read(lambda c: c.execute(intake_wrap).all())
    assert (after == before) is is_killed
    async with site.in_a_process():
        if is_killed:
            assert (await site.operator.intake_open(message.id)).key == body_key(message.content_key, message.id)
            await site.operator.paper_link(made["reference"], message.id)
        assert await site.operator.intake_put_back(message.id)
        assert (await site.operator.intake_open(message.id)).key == body_key(message.content_key, message.id)
    assert await count(site, tables.form_document) == 0
    assert len(await site.leaves("document_linked")) == 1


async def test_a_keyholder_killed_between_retiring_a_key_and_destroying_it_destroys_it_later(site: KeyedSite) -> None:
    async with site.in_a_process():
        made = await site.operator.enact("add_intake_key", month="2020-01")
    async with site.in_a_process("keyholder.intake.retired=kill") as child:
        await asyncio.to_thread(child.wait)
    assert len(await site.leaves("intake_key_retired")) == 1
    assert site.keystore.wrapped([made["key"]])
    async with site.in_a_process(), asyncio.timeout(60):
        while site.keystore.wrapped([made["key"]]):
            await asyncio.sleep(0.05)
    assert len(await site.leaves("intake_key_retired")) == 1


async def test_positions_are_consecutive_after_a_kill_between_reading_and_giving(site: KeyedSite) -> None:
    async with site.in_a_process("keyholder.position=kill") as child:
        async with asyncio.timeout(60):
            while child.poll() is None:
                try:
                    await site.operator.enact("add_team", programme="cwa", name="Desk", address="desk@agency.example")
                except KeyholderUnavailable:
                    await asyncio.sleep(0.05)
                except Exception:  # noqa: BLE001 - it is there by now, and the keyholder dies a moment later
                    await asyncio.sleep(0.05)
    async with site.in_a_process():
        await site.employee()
        async with asyncio.timeout(60):
            while True:
                wanted = select(tables.leaf.c.position).order_by(tables.leaf.c.position)
                found = await site.database.read(lambda c: list(c.execute(wanted).scalars()))  # noqa: B023
                if None not in found:
                    break
                await asyncio.sleep(0.05)
    assert found == list(range(len(found)))


async def test_a_sign_in_killed_before_its_answer_opens_nothing(site: KeyedSite) -> None:
    async with site.in_a_process("authenticator.statement=kill"):
        codes = await site.enrol(await site.employee())
        with pytest.raises(AuthenticatorUnavailable):
            await site.authenticator.sign_in("erin", PASSWORD, codes.at(site.clock()), "192.0.2.1")
    assert await count(site, tables.session) == 0
    async with site.in_a_process():
        site.clock.forward(seconds=30)
        later = codes.at(site.clock())
        signed_in = await site.authenticator.sign_in("erin", PASSWORD, later, "192.0.2.1")
        await site.keyholder.admit(signed_in.statement, signed_in.signature)
