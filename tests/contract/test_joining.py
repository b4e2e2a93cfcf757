"""From invitation to inbox over a running keyholder: terms that are agreed to, notices, and where people stop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from gateway.authenticator import identities
from gateway.domain.enrolment import DAY_US, Stage
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated, RateExceeded
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.funnel import Funnel, funnel
from gateway.store.own_places import own_places, waiting_places
from gateway.store.terms import has_agreed
from tests.contract.test_enrolment import PROGRAMME, Desk
from tests.keyed_site import PASSWORD, KeyedSite

VERSION = PROGRAMME.terms_version


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        yield running


@pytest.fixture
def desk(site: KeyedSite) -> Desk:
    return Desk(site)


async def figures(site: KeyedSite, since_us: int = 0) -> Funnel:
    return await site.database.read(funnel, site.authority, "cwa", since_us)


async def counted(site: KeyedSite) -> list[int]:
    found = await figures(site)
    return [found.reached[stage] for stage in Stage]


async def told(site: KeyedSite, kind: str) -> list[dict[str, Any]]:
    table = tables.outbox
    wanted = select(table.c.fields).where(table.c.kind == kind).order_by(table.c.id)
    return [json.loads(one) for one in await site.database.read(lambda c: list(c.execute(wanted).scalars()))]


async def on_the_way(site: KeyedSite, desk: Desk, name: str = "cora") -> tuple[dict[str, Any], str]:
    """Invite somebody; return their place and the code that they were told."""
    agreement = await desk.opened(await site.case())
    user = await desk.named(agreement, name)
    await desk.do("review_agreement", agreement=agreement)
    await desk.met(user["designated_user"])
    made = await site.proofs.make_first_code()
    expires_us = site.clock.now_us + 2 * DAY_US
    invited = {"designated_user": user["designated_user"], "lookup": made.lookup, "expires_us": expires_us}
    await desk.do("invite_user", **invited)
    return user, made.clear


async def with_a_password(site: KeyedSite, code: str) -> bytes:
    """Come in by a code, with a password and an app; return the session's token."""
    begun = await site.authenticator.begin_sign_up(code, "192.0.2.1")
    assert begun is not None
    totp = pyotp.parse_uri(begun.uri)
    signed_in, bindings = await site.authenticator.finish_sign_up(begun.ticket, PASSWORD, totp.at(site.clock()), "")
    await site.keyholder.bind([(one.binding, one.signature) for one in bindings])
    await site.keyholder.admit(signed_in.statement, signed_in.signature)
    return signed_in.token


async def test_each_stage_between_invitation_and_inbox_is_counted_once(site: KeyedSite, desk: Desk) -> None:
    assert await counted(site) == [0, 0, 0, 0, 0]
    user, code = await on_the_way(site, desk)
    assert await counted(site) == [1, 0, 0, 0, 0]
    for _ in range(2):
        await site.authenticator.begin_sign_up(code, "192.0.2.1")
    assert await counted(site) == [1, 1, 0, 0, 0]
    token = await with_a_password(site, code)
    assert await counted(site) == [1, 1, 1, 0, 0]
    (waits,) = (await figures(site)).waiting
    assert (waits.stage, waits.way, waits.user[-2:]) == (Stage.CHOSEN, "password", ".1")
    await site.keyholder.enact(token, "agree_terms", person=user["person"], terms=VERSION, language="en")
    found = await figures(site)
    assert [found.reached[stage] for stage in Stage] == [1, 1, 1, 1, 1]
    assert found.waiting == ()
    assert found.median_us is not None
    assert found.median_us > 0
    for kind in ("user_invite", "first_code_typed", "first_credential", "terms_agreed"):
        assert await site.leaves(kind), kind
    assert len(await site.leaves("first_code_typed")) == 1


async def test_the_funnel_names_who_waits_longest_first_and_leaves_out_who_is_gone(site: KeyedSite, desk: Desk) -> None:
    first, _ = await on_the_way(site, desk, "cora")
    site.clock.forward(hours=1)
    second, _ = await on_the_way(site, desk, "dora")
    found = await figures(site)
    assert [one.person_id for one in found.waiting] == [first["person"], second["person"]]
    assert found.stopped[Stage.INVITED] == 2
    await desk.do("revoke_user", designated_user=first["designated_user"])
    found = await figures(site)
    assert ([one.person_id for one in found.waiting], found.gone) == ([second["person"]], 1)
    assert (await figures(site, site.clock.now_us - 1_800_000_000)).reached[Stage.INVITED] == 1


async def test_an_invitation_that_was_a_slip_is_not_counted(site: KeyedSite, desk: Desk) -> None:
    user, _ = await on_the_way(site, desk)
    await desk.do("undo_user", designated_user=user["designated_user"])
    assert await counted(site) == [0, 0, 0, 0, 0]


async def test_terms_are_agreed_to_in_the_version_that_is_in_force_by_oneself_and_once(
    site: KeyedSite, desk: Desk
) -> None:
    person = (await site.correspondent(await site.case()))["person"]
    token = await site.signed_in(person, agreed=False)
    agree = {"person": person, "terms": VERSION, "language": "en"}
    for wrong in ({"terms": "1999-01"}, {"language": "fr"}):
        with pytest.raises(Malformed):
            await site.keyholder.enact(token, "agree_terms", **{**agree, **wrong})
    other = (await site.correspondent(await site.case(), username="otto"))["person"]
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(token, "agree_terms", **{**agree, "person": other})
    with pytest.raises(NotAllowed):
        await site.operator.enact("agree_terms", **agree)
    for _ in range(2):
        await site.keyholder.enact(token, "agree_terms", **agree)
    assert len(await site.leaves("terms_agreed")) == 1
    assert await site.database.read(has_agreed, site.authority, person, PROGRAMME)
    assert not await site.database.read(has_agreed, site.authority, other, PROGRAMME)


async def test_the_keyholder_opens_nothing_to_who_has_not_agreed_whatever_the_portal_says(site: KeyedSite) -> None:
    case = await site.case()
    person = (await site.correspondent(case))["person"]
    message = await site.deposit(case, person)
    token = await site.signed_in(person, agreed=False)
    await site.agree(person, "1999-01")
    for _ in range(2):
        with pytest.raises(NotAllowed):
            await site.keyholder.list(token, case)
        with pytest.raises(NotAllowed):
            await site.keyholder.open(token, message.id)
    assert await site.leaves("opened") == await site.leaves("listed") == []
    await site.keyholder.enact(token, "agree_terms", person=person, terms=VERSION, language="en")
    assert (await site.keyholder.open(token, message.id)).message_id == message.id
    assert len(await site.keyholder.list(token, case)) == 1


async def test_a_forged_agreement_to_the_terms_counts_for_nothing(site: KeyedSite) -> None:
    person = (await site.correspondent(await site.case()))["person"]
    token = await site.signed_in(person, agreed=False)
    await site.keyholder.enact(token, "agree_terms", person=person, terms=VERSION, language="en")
    other = (await site.correspondent(await site.case(), username="otto"))["person"]
    await site.execute(tables.agreed_terms.update().values(person_id=other))
    assert not await site.database.read(has_agreed, site.authority, other, PROGRAMME)


async def test_a_meeting_that_is_set_moved_or_called_off_is_told_with_its_time_and_nothing_else(
    site: KeyedSite, desk: Desk
) -> None:
    agreement = await desk.opened(await site.case())
    user = (await desk.named(agreement))["designated_user"]
    begins = [site.clock.now_us + days * DAY_US for days in (1, 2)]
    for starts_us in begins:
        await desk.do("schedule_meeting", designated_user=user, starts_us=starts_us)
    await desk.do("revoke_user", designated_user=user)
    assert await told(site, "meeting") == [
        {"state": "meeting_arranged", "until_us": begins[0]},
        {"state": "meeting_moved", "until_us": begins[1]},
        {"state": "meeting_cancelled", "until_us": begins[1]},
    ]


async def test_an_invitation_is_told_until_when_its_code_is_good_and_never_the_code(
    site: KeyedSite, desk: Desk
) -> None:
    _, code = await on_the_way(site, desk)
    (fields,) = await told(site, "invitation")
    assert set(fields) == {"state", "until_us"}
    assert fields["until_us"] - site.clock.now_us <= 2 * DAY_US
    rows = await site.database.read(lambda c: c.execute(select(tables.outbox)).all())
    assert code not in str(rows)
    assert all(row.case_id is None for row in rows if row.kind == "invitation")


async def test_a_refused_invitation_tells_nobody(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    user = (await desk.named(agreement))["designated_user"]
    with pytest.raises(Malformed):
        await desk.invited(user)
    assert await told(site, "invitation") == []
    assert await counted(site) == [0, 0, 0, 0, 0]


async def test_a_known_person_confirms_without_a_code_and_is_through_with_the_terms_they_agreed_to(
    site: KeyedSite, desk: Desk
) -> None:
    active = await desk.active(await site.case())
    token = await site.signed_in(active["person"], agreed=False)
    await site.keyholder.enact(token, "agree_terms", person=active["person"], terms=VERSION, language="en")
    agreement = await desk.opened(await site.case())
    further = await desk.named(agreement, person=active["person"])
    await desk.do("review_agreement", agreement=agreement)
    await desk.do("invite_user", designated_user=further["designated_user"])
    assert (await told(site, "invitation"))[-1] == {"state": "none"}
    found = await figures(site)
    assert [(one.stage, one.way) for one in found.waiting] == [(Stage.INVITED, None)]
    place = {"person": active["person"], "designated_user": further["designated_user"]}
    await site.keyholder.enact(token, "confirm_place", **place)
    assert (await figures(site)).reached[Stage.FINISHED] == 2
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(token, "confirm_place", **place)


async def test_guesses_of_a_code_are_slowed_down_by_address_and_the_right_code_stays_good(
    site: KeyedSite, desk: Desk
) -> None:
    _, code = await on_the_way(site, desk)
    site.clock.stand()
    for number in range(3):
        assert await site.authenticator.begin_sign_up(f"AAAA{number}AAAAA", "198.51.100.7") is None
    with pytest.raises(RateExceeded):
        await site.authenticator.begin_sign_up(code, "198.51.100.7")
    assert await site.authenticator.begin_sign_up(code, "192.0.2.1") is not None
    site.clock.forward(minutes=16)
    assert await site.authenticator.begin_sign_up(code, "198.51.100.7") is not None


async def test_a_code_is_over_when_it_was_used_or_reissued_or_its_time_has_come(site: KeyedSite, desk: Desk) -> None:
    _, used = await on_the_way(site, desk, "cora")
    await with_a_password(site, used)
    assert await site.authenticator.begin_sign_up(used, "192.0.2.1") is None
    user, first = await on_the_way(site, desk, "dora")
    made = await site.proofs.make_first_code()
    again = {"lookup": made.lookup, "expires_us": site.clock.now_us + DAY_US}
    await desk.do("invite_user", designated_user=user["designated_user"], **again)
    assert await site.authenticator.begin_sign_up(first, "192.0.2.2") is None
    assert await site.authenticator.begin_sign_up(made.clear, "192.0.2.3") is not None
    site.clock.forward(hours=25)
    assert await site.authenticator.begin_sign_up(made.clear, "192.0.2.4") is None
    assert [one.reached[Stage.STARTED] for one in [await figures(site)]] == [2]


async def test_a_clock_that_jumps_forward_ends_a_code_and_back_gives_no_second_use(site: KeyedSite, desk: Desk) -> None:
    _, code = await on_the_way(site, desk)
    site.clock.forward(days=400)
    assert await site.authenticator.begin_sign_up(code, "192.0.2.1") is None
    site.clock.forward(days=-400)
    token = await with_a_password(site, code)
    await site.keyholder.touch(token)
    site.clock.forward(days=-400)
    assert await site.authenticator.begin_sign_up(code, "192.0.2.2") is None
    site.clock.forward(days=800)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.touch(token)


async def test_an_address_that_changed_hands_is_its_new_holder_s_alone(site: KeyedSite, desk: Desk) -> None:
    first, _ = await on_the_way(site, desk, "cora")
    place = {"designated_user": first["designated_user"]}
    await desk.do("change_address", **place, address="cora.new@outside.example")
    second = await desk.named(await desk.opened(await site.case()), "cora")
    now_us = site.clock.now_us

    async def is_theirs(person: str, address: str) -> bool:
        return await site.database.read(identities.is_theirs, person, [address], now_us)

    old, new = "cora@outside.example", "cora.new@outside.example"
    assert (await is_theirs(first["person"], old), await is_theirs(first["person"], new)) == (False, True)
    assert (await is_theirs(second["person"], old), await is_theirs(second["person"], new)) == (True, False)
    assert first["person"] != second["person"]


async def test_two_people_with_one_address_have_each_their_own_code(site: KeyedSite, desk: Desk) -> None:
    first, _ = await on_the_way(site, desk, "cora")
    second, code = await on_the_way(site, desk, "cora")
    assert first["person"] != second["person"]
    token = await with_a_password(site, code)
    await site.keyholder.enact(token, "agree_terms", person=second["person"], terms=VERSION, language="en")
    found = await figures(site)
    assert [(one.person_id, one.stage) for one in found.waiting] == [(first["person"], Stage.INVITED)]
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(token, "agree_terms", person=first["person"], terms=VERSION, language="en")


async def test_the_portal_may_read_what_a_person_sees_of_their_agreements(site: KeyedSite, desk: Desk) -> None:
    active = await desk.active(await site.case())
    portal = Database(site.url, program="portal")
    try:
        now_us = site.clock.now_us
        (one,) = portal.read_now(own_places, site.authority, active["person"], PROGRAMME, now_us)
        assert (one.names, one.role, one.asks, len(one.cases)) == (
            ("Vale Tours Ltd",), "Person with authority to bind the withholding agent", False, 1,
        )  # fmt: skip
        assert portal.read_now(waiting_places, site.authority, active["person"], now_us) == 0
        assert portal.read_now(funnel, site.authority, "cwa", 0).reached[Stage.CHOSEN] == 1
    finally:
        portal.close()
