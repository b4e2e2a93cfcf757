"""Enrolment over a running keyholder: agreements, designated users, authorisations, and the access that follows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.casework.act import Act, Actor
from gateway.casework.designation import join_by_code
from gateway.domain.clock import from_microseconds
from gateway.domain.enrolment import DAY_US
from gateway.domain.errors import Malformed, NotAllowed, Tampered
from gateway.frames import encode
from gateway.programmes import load_programmes
from gateway.store import tables
from gateway.store.cases import cases_of
from gateway.store.recertification import recertify
from tests.keyed_site import ROOT, KeyedSite
from tests.papers import CONSENT, INFORMATION, POWER

PROGRAMME = load_programmes([ROOT / "programmes" / "cwa"])["cwa"]


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        yield running


class Desk:
    """An enrolment clerk at work, as the local operator."""

    def __init__(self, site: KeyedSite) -> None:
        self.site = site

    async def do(self, verb: str, **arguments: object) -> dict[str, Any]:
        return await self.site.operator.enact(verb, **arguments)

    async def today(self, days: int = 0) -> str:
        now = from_microseconds(self.site.clock.now_us).astimezone(PROGRAMME.zone)
        return (now + timedelta(days=days)).date().isoformat()

    async def opened(self, *cases: str, fields: dict[str, str] | None = None) -> str:
        made = await self.do(
            "open_agreement",
            programme="cwa",
            received=await self.today(),
            cases=list(cases),
            fields=CONSENT if fields is None else fields,
        )
        return str(made["agreement"])

    async def named(self, agreement: str, name: str = "cora", role: str = "agent", **more: object) -> dict[str, Any]:
        return await self.do(
            "name_user",
            agreement=agreement,
            name=name.title(),
            address=f"{name}@outside.example",
            telephone="+1 202 555 0100",
            role=role,
            **more,
        )

    async def met(self, user: str) -> None:
        await self.do("schedule_meeting", designated_user=user, starts_us=self.site.clock.now_us + DAY_US)
        await self.do(
            "hold_meeting",
            designated_user=user,
            outcome="identified",
            document="passport",
            checks=list(PROGRAMME.enrolment.checklist),
        )

    async def invited(self, user: str) -> None:
        expires_us = self.site.clock.now_us + 2 * DAY_US
        await self.do("invite_user", designated_user=user, lookup=f"hash of {user}", expires_us=expires_us)

    async def active(self, case: str, name: str = "cora", role: str = "agent") -> dict[str, str]:
        agreement = await self.opened(case)
        user = await self.named(agreement, name, role)
        await self.do("review_agreement", agreement=agreement)
        await self.met(user["designated_user"])
        await self.invited(user["designated_user"])
        await self.do("join_user", designated_user=user["designated_user"])
        return {"agreement": agreement, "user": user["designated_user"], "person": user["person"]}

    async def authorise(self, user: str, kind: str = "representative", **more: object) -> dict[str, Any]:
        arguments = {
            "designated_user": user,
            "kind": f"authorisation-{kind}",
            "received": await self.today(),
            "fields": POWER if kind == "representative" else INFORMATION,
            "cases": [],
        }
        return await self.do("add_authorisation", **{**arguments, **more})


@pytest.fixture
def desk(site: KeyedSite) -> Desk:
    return Desk(site)


async def reads(site: KeyedSite, token: bytes, case: str) -> bool:
    try:
        await site.keyholder.list(token, case)
    except NotAllowed:
        return False
    return True


async def refusal(call: Any) -> str:
    with pytest.raises((Malformed, NotAllowed)) as caught:
        await call
    return str(caught.value.advice)


# ---- the way in


async def test_from_the_paper_to_access_by_every_step(site: KeyedSite, desk: Desk) -> None:
    case = await site.case()
    agreement = await desk.opened(case)
    user = await desk.named(agreement)
    token = await site.signed_in(user["person"])
    steps = []
    place = user["designated_user"]
    steps.append(await reads(site, token, case))
    await desk.do("review_agreement", agreement=agreement)
    steps.append(await reads(site, token, case))
    await desk.met(place)
    steps.append(await reads(site, token, case))
    await desk.invited(place)
    steps.append(await reads(site, token, case))
    assert steps == [False] * 4
    await desk.do("join_user", designated_user=place)
    assert await reads(site, token, case)


async def test_half_a_form_is_kept_asked_for_and_not_accepted(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(fields={"agent-name": "Vale Tours Ltd"})
    asked = await desk.do("ask_agreement", agreement=agreement)
    assert {"agent-tin", "signature-date", "case", "designated-user"} <= set(asked["missing"])
    assert "agent-tin" in await refusal(desk.do("review_agreement", agreement=agreement))
    await desk.do("set_fields", agreement=agreement, fields=CONSENT)
    await desk.do("cover_case", agreement=agreement, case=await site.case())
    await desk.named(agreement)
    assert (await desk.do("review_agreement", agreement=agreement))["state"] == "reviewed"
    assert "new form" in await refusal(desk.do("set_fields", agreement=agreement, fields=CONSENT))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("agent-tin", "12-345678", "nine digits"),
        ("signature-date", "2999-01-01", "still to come"),
        ("signature-date", "5 January", "2027-01-31"),
        ("notification-address", "nobody", "name@domain"),
        ("shoe-size", "43", "no field"),
    ],
)
async def test_a_bad_field_is_named_and_its_value_is_not(desk: Desk, key: str, value: str, words: str) -> None:
    said = await refusal(desk.opened(fields={**CONSENT, key: value}))
    assert words in said
    assert value not in said


async def test_an_agreement_has_no_more_users_than_the_programme_says(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    for number in range(PROGRAMME.limits.designated_users):
        await desk.named(agreement, f"user{number}")
    assert "at most 5" in await refusal(desk.named(agreement, "onemore"))


async def test_a_meeting_identifies_only_with_a_document_and_every_check(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    user = (await desk.named(agreement))["designated_user"]
    held = {"designated_user": user, "outcome": "identified", "document": "passport"}
    assert "set" in await refusal(desk.do("hold_meeting", **held))
    await desk.do("schedule_meeting", designated_user=user, starts_us=site.clock.now_us + DAY_US)
    assert "face-matches" in await refusal(desk.do("hold_meeting", **held, checks=["live-picture"]))
    gone = await desk.do("hold_meeting", designated_user=user, outcome="nobody-came")
    assert gone["state"] == "meeting"
    await desk.met(user)
    assert "cannot be done" in await refusal(desk.do("join_user", designated_user=user))


async def test_a_code_is_void_once_it_is_reissued_undone_or_not_needed(site: KeyedSite, desk: Desk) -> None:
    async def codes() -> int:
        table = tables.credential
        wanted = select(table.c.id).where(table.c.kind == "first_code", table.c.revoked_us.is_(None))
        return len(await site.database.read(lambda c: c.execute(wanted).all()))

    agreement = await desk.opened(await site.case())
    user = (await desk.named(agreement))["designated_user"]
    await desk.do("review_agreement", agreement=agreement)
    await desk.met(user)
    await desk.invited(user)
    await desk.do("invite_user", designated_user=user, lookup="another", expires_us=site.clock.now_us + DAY_US)
    assert await codes() == 1
    await desk.do("undo_user", designated_user=user)
    assert await codes() == 0
    state = select(tables.designated_user.c.state)
    assert await site.database.read(lambda c: c.execute(state).scalar_one()) == "invited"


async def test_a_code_that_is_used_lets_its_person_in(site: KeyedSite, desk: Desk) -> None:
    case = await site.case()
    agreement = await desk.opened(case)
    user = await desk.named(agreement)
    await desk.do("review_agreement", agreement=agreement)
    await desk.met(user["designated_user"])
    await desk.invited(user["designated_user"])
    token = await site.signed_in(user["person"])
    await site.server._sign(
        lambda tx, authority: join_by_code(Act(tx, authority, Actor(), {"cwa": PROGRAMME}), user["person"], "login")
    )
    assert await reads(site, token, case)


# ---- TINs


async def test_a_tin_rests_sealed_is_shown_on_record_and_found_by_its_digits(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    rows = await site.database.read(lambda c: c.execute(select(tables.form_field)).all())
    kept = {row.key: row for row in rows}
    assert kept["agent-name"].value == CONSENT["agent-name"]
    assert kept["agent-tin"].value is None
    form = await site.database.read(lambda c: c.execute(select(tables.form.c.id)).scalar_one())
    assert (await site.operator.paper_open(form)) == {"agent-tin": "123456789"}
    (entry,) = await site.leaves("paper_opened")
    assert json.loads(entry)["facts"]["fields"] == ["agent-tin"]
    reference = await site.database.read(lambda c: c.execute(select(tables.enrolment.c.reference)).scalar_one())
    assert await site.operator.paper_find("123 456 789") == [reference]
    assert await site.operator.paper_find("987654321") == []
    assert len(await site.leaves("papers_searched")) == 2
    everything = json.dumps([await site.leaves(kind) for kind in ("agreement_received", "papers_searched")])
    assert "123456789" not in everything
    assert agreement in everything


async def test_a_session_without_the_role_opens_no_paper(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    form = await site.database.read(lambda c: c.execute(select(tables.form.c.id)).scalar_one())
    erin = await site.employee("erin")
    token = await site.signed_in(erin)
    ask = site.keyholder._client.ask
    absent = await refusal(ask("paper_open", token=encode(token), paper="nothing"))
    assert await refusal(ask("paper_open", token=encode(token), paper=form)) == absent
    assert await refusal(site.keyholder.enact(token, "suspend_agreement", agreement=agreement))
    await site.operator.enact("give_role", person=erin, role="enroller", until_us=site.clock.now_us + DAY_US)
    opened = await ask("paper_open", token=encode(token), paper=form)
    assert opened["fields"] == {"agent-tin": "123456789"}
    site.clock.forward(hours=25)
    token = await site.signed_in(erin)
    assert await refusal(ask("paper_open", token=encode(token), paper=form)) == absent


async def test_a_document_leaves_the_tray_for_its_agreement_and_goes_back(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    reference = await site.database.read(lambda c: c.execute(select(tables.enrolment.c.reference)).scalar_one())
    taken = await site.take_in()
    await site.operator.paper_link(reference, taken.id)
    key = select(tables.sealing_key.c.agreement_id).join(
        tables.message_wrap, tables.message_wrap.c.key_id == tables.sealing_key.c.id
    )
    assert await site.database.read(lambda c: c.execute(key).scalars().all()) == [agreement]
    assert (await site.operator.intake_open(taken.id)).message_id == taken.id
    assert await site.operator.intake_put_back(taken.id)
    assert await site.database.read(lambda c: c.execute(key).scalars().all()) == [None]
    assert await site.database.read(lambda c: c.execute(select(tables.form_document)).all()) == []


# ---- authorisations


async def test_a_representative_has_access_only_beside_an_authorisation(site: KeyedSite, desk: Desk) -> None:
    case = await site.case()
    raul = await desk.active(case, "raul", "representative")
    token = await site.signed_in(raul["person"])
    assert not await reads(site, token, case)
    made = await desk.authorise(raul["user"])
    assert await reads(site, token, case)
    await desk.do("revoke_authorisation", authorisation=made["authorisation"])
    assert not await reads(site, token, case)


async def test_an_authorisation_ends_at_midnight_of_the_programme_on_a_live_session(
    site: KeyedSite, desk: Desk
) -> None:
    case = await site.case()
    dora = await desk.active(case, "dora", "designee")
    made = await desk.authorise(dora["user"], "see", last_day=await desk.today())
    until = await site.database.read(lambda c: c.execute(select(tables.authorisation.c.until_us)).scalar_one())
    local = from_microseconds(until).astimezone(PROGRAMME.zone)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert local.date().isoformat() == await desk.today(1)
    assert made["last_day"] == await desk.today()
    left = timedelta(microseconds=until - site.clock.now_us)
    site.clock.ahead += left - timedelta(seconds=20)
    token = await site.signed_in(dora["person"])
    assert await reads(site, token, case)
    site.clock.forward(seconds=20)
    assert not await reads(site, token, case)


async def test_an_authorisation_lasts_three_years_past_the_year_of_receipt(site: KeyedSite, desk: Desk) -> None:
    raul = await desk.active(await site.case(), "raul", "representative")
    made = await desk.authorise(raul["user"], received="2026-03-01", last_day="2090-01-01")
    assert made["last_day"] == "2029-12-31"


async def test_an_authorisation_for_one_matter_gives_nothing_in_another(site: KeyedSite, desk: Desk) -> None:
    tour, season = await site.case(), await site.case()
    agreement = await desk.opened(tour, season)
    user = await desk.named(agreement, "raul", "representative")
    await desk.do("review_agreement", agreement=agreement)
    await desk.met(user["designated_user"])
    await desk.invited(user["designated_user"])
    await desk.do("join_user", designated_user=user["designated_user"])
    await desk.authorise(user["designated_user"], cases=[tour])
    token = await site.signed_in(user["person"])
    assert [await reads(site, token, tour), await reads(site, token, season)] == [True, False]


async def test_a_new_form_to_see_revokes_earlier_ones_unless_copies_came_with_it(site: KeyedSite, desk: Desk) -> None:
    dora = await desk.active(await site.case(), "dora", "designee")
    first = await desk.authorise(dora["user"], "see")
    kept = await desk.authorise(dora["user"], "see", keeps_earlier=True)
    assert (first["revoked"], kept["revoked"]) == ([], [])
    third = await desk.authorise(dora["user"], "see")
    assert set(third["revoked"]) == {first["authorisation"], kept["authorisation"]}


async def test_an_incomplete_authorisation_is_refused_whole(site: KeyedSite, desk: Desk) -> None:
    raul = await desk.active(await site.case(), "raul", "representative")
    fields = {key: value for key, value in POWER.items() if key != "matters"}
    assert "matters" in await refusal(desk.authorise(raul["user"], fields=fields))
    assert await site.database.read(lambda c: c.execute(select(tables.authorisation)).all()) == []
    assert "designation" in (await refusal(desk.authorise(raul["user"], fields={**POWER, "designation": "z"}))).lower()


# ---- the way out


async def test_suspended_resumed_and_given_notice(site: KeyedSite, desk: Desk) -> None:
    case = await site.case()
    cora = await desk.active(case)
    token = await site.signed_in(cora["person"])
    await desk.do("suspend_agreement", agreement=cora["agreement"])
    assert not await reads(site, token, case)
    await desk.do("resume_agreement", agreement=cora["agreement"])
    assert await reads(site, token, case)
    given = await desk.do("give_notice", agreement=cora["agreement"])
    assert await reads(site, token, case)
    site.clock.ahead += timedelta(microseconds=given["until_us"] - site.clock.now_us) - timedelta(seconds=20)
    token = await site.signed_in(cora["person"])
    assert await reads(site, token, case)
    site.clock.forward(seconds=20)
    assert not await reads(site, token, case)


async def test_a_suspension_during_a_notice_does_not_lengthen_it(site: KeyedSite, desk: Desk) -> None:
    cora = await desk.active(await site.case())
    given = await desk.do("give_notice", agreement=cora["agreement"])
    await desk.do("suspend_agreement", agreement=cora["agreement"])
    assert (await desk.do("resume_agreement", agreement=cora["agreement"]))["state"] == "notice"
    until = await site.database.read(lambda c: c.execute(select(tables.enrolment.c.until_us)).scalar_one())
    assert until == given["until_us"]


async def test_a_slip_is_undone_for_a_day_and_only_where_the_rule_allows(site: KeyedSite, desk: Desk) -> None:
    case = await site.case()
    cora = await desk.active(case)
    token = await site.signed_in(cora["person"])
    await desk.do("revoke_user", designated_user=cora["user"])
    assert not await reads(site, token, case)
    await desk.do("undo_user", designated_user=cora["user"])
    assert await reads(site, token, case)
    await desk.do("revoke_user", designated_user=cora["user"])
    site.clock.forward(hours=25)
    assert "for a day" in await refusal(desk.do("undo_user", designated_user=cora["user"]))
    await desk.do("end_agreement", agreement=cora["agreement"])
    assert "cannot be undone" in await refusal(desk.do("undo_agreement", agreement=cora["agreement"]))


async def test_a_person_in_nine_agreements_loses_exactly_one_at_its_midnight(site: KeyedSite, desk: Desk) -> None:
    first = await site.case()
    raul = await desk.active(first, "raul", "representative")
    cases, users = [first], [raul["user"]]
    for _ in range(8):
        case = await site.case()
        agreement = await desk.opened(case)
        user = await desk.named(agreement, "raul", "representative", person=raul["person"])
        await desk.do("review_agreement", agreement=agreement)
        invited = await desk.do("invite_user", designated_user=user["designated_user"])
        assert not invited["needs_code"]
        token = await site.signed_in(raul["person"])
        await site.keyholder.enact(
            token, "confirm_place", person=raul["person"], designated_user=user["designated_user"]
        )
        cases.append(case)
        users.append(user["designated_user"])
    for number, user in enumerate(users):
        await desk.authorise(user, **({"last_day": await desk.today()} if number == 4 else {}))
    ends = select(tables.authorisation.c.until_us).where(tables.authorisation.c.designated_user_id == users[4])
    until = await site.database.read(lambda c: c.execute(ends).scalar_one())
    site.clock.ahead += timedelta(microseconds=until - site.clock.now_us) - timedelta(seconds=30)
    token = await site.signed_in(raul["person"])
    seen = await site.database.read(cases_of, site.authority, raul["person"], site.clock.now_us)
    assert {case.id for case, _ in seen} == set(cases)
    assert len(cases) == 9
    site.clock.forward(seconds=30)
    assert [await reads(site, token, case) for case in cases] == [number != 4 for number in range(9)]


async def test_a_place_taken_for_a_known_person_waits_for_their_own_word(site: KeyedSite, desk: Desk) -> None:
    cora = await desk.active(await site.case())
    case = await site.case()
    agreement = await desk.opened(case)
    user = (await desk.named(agreement, "cora", person=cora["person"]))["designated_user"]
    await desk.do("review_agreement", agreement=agreement)
    await desk.do("invite_user", designated_user=user)
    assert "confirms" in await refusal(desk.do("join_user", designated_user=user))
    other = await site.correspondent(await site.case(), username="otto")
    theirs = await site.signed_in(other["person"])
    asked = {"person": other["person"], "designated_user": user}
    await refusal(site.keyholder.enact(theirs, "confirm_place", **asked))
    token = await site.signed_in(cora["person"])
    assert not await reads(site, token, case)
    await site.keyholder.enact(token, "confirm_place", person=cora["person"], designated_user=user)
    assert await reads(site, token, case)


async def test_an_address_changes_for_the_person_and_is_taken_by_no_employee(site: KeyedSite, desk: Desk) -> None:
    cora = await desk.active(await site.case())
    await site.employee("erin")
    assert "taken" in await refusal(
        desk.do("change_address", designated_user=cora["user"], address="erin@agency.example")
    )
    await desk.do("change_address", designated_user=cora["user"], address="new@outside.example")
    table = tables.person_address
    wanted = select(table.c.address).where(table.c.person_id == cora["person"], table.c.until_us.is_(None))
    assert await site.database.read(lambda c: list(c.execute(wanted).scalars())) == ["new@outside.example"]


# ---- rows nobody signed


async def test_a_forged_state_or_authorisation_gives_nothing(site: KeyedSite, desk: Desk) -> None:
    case = await site.case()
    cora = await desk.active(case)
    token = await site.signed_in(cora["person"])
    await desk.do("suspend_agreement", agreement=cora["agreement"])
    await site.execute(tables.enrolment.update().values(state="reviewed"))
    assert not await reads(site, token, case)
    await site.execute(tables.enrolment.delete())
    assert not await reads(site, token, case)
    await site.execute(tables.designated_user.update().values(state=None))
    assert not await reads(site, token, case)


# ---- two people


async def test_what_the_programme_marks_needs_a_second_person(site: KeyedSite, desk: Desk) -> None:
    rules = replace(PROGRAMME.enrolment, two_people=frozenset({"review_agreement"}))
    site.server._programmes["cwa"] = replace(PROGRAMME, enrolment=rules)  # type: ignore[index]
    agreement = await desk.opened(await site.case())
    await desk.named(agreement)
    waits = (await desk.do("review_agreement", agreement=agreement))["waits_for_second_person"]
    state = select(tables.enrolment.c.state)
    assert await site.database.read(lambda c: c.execute(state).scalar_one()) == "received"
    assert "Somebody else" in await refusal(desk.do("approve", approval=waits))
    token = await site.signed_in(await site.employee("erin", role="enroller"))
    assert (await site.keyholder.enact(token, "approve", approval=waits))["state"] == "reviewed"
    await refusal(site.keyholder.enact(token, "approve", approval=waits))
    await site.execute(tables.approval.update().values(until_us=2**60))
    with pytest.raises(Tampered):
        await site.keyholder.enact(token, "approve", approval=waits)


# ---- a look into a case that is not one's own


async def test_an_employee_states_a_purpose_to_look_elsewhere_for_an_hour(site: KeyedSite) -> None:
    erin, frank = await site.employee("erin"), await site.employee("frank")
    case = await site.case(frank)
    token = await site.signed_in(erin)
    assert not await reads(site, token, case)
    asked = {"case": case, "purpose": "audit"}
    await refusal(site.keyholder.enact(token, "state_purpose", person=frank, **asked))
    await refusal(site.keyholder.enact(token, "state_purpose", person=erin, case=case, purpose="curiosity"))
    await site.keyholder.enact(token, "state_purpose", person=erin, **asked)
    assert await reads(site, token, case)
    (entry,) = await site.leaves("purpose_stated")
    assert json.loads(entry)["facts"]["purpose"] == "audit"
    site.clock.forward(minutes=61)
    assert not await reads(site, await site.signed_in(erin), case)


# ---- the report


async def test_the_report_tells_whose_access_somebody_has_to_look_at(site: KeyedSite, desk: Desk) -> None:
    async def found(due: int = 60, stale: int = 90) -> set[tuple[str, str]]:
        made = await site.database.read(recertify, site.authority, due, stale, site.clock.now_us)
        return {(one.kind.value, one.name) for one in made.findings}

    await site.employee("erin", role="administrator")
    frank = await site.employee("frank")
    await site.operator.enact("give_role", person=frank, role="enroller", until_us=site.clock.now_us + DAY_US)
    await site.correspondent(await site.case(), username="otto")
    cora = await desk.active(await site.case())
    raul = await desk.active(await site.case(), "raul", "representative")
    usual = {("privileged-without-end", "Erin"), ("privileged", "Frank"), ("access-without-form", "Otto")}
    assert await found() == {*usual, ("renewal-late", "Raul")}
    await desk.authorise(raul["user"], last_day=await desk.today(30))
    assert await found() - usual == {("renewal-due", "Raul")}
    assert await found(due=10) == usual
    await site.signed_in(cora["person"])
    site.clock.forward(hours=48)
    assert ("stale", "Cora") in await found(stale=1)
    await desk.do("revoke_user", designated_user=cora["user"])
    assert ("account-without-access", "Cora") in await found()
