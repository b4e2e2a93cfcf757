"""Designated users on the desk: named, met, invited with a code shown once, authorised, stopped; two people."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from gateway.store.tables import credential
from tests.papers import INFORMATION
from tests.portal.browser import Browser
from tests.portal.clerks import CHECKS, PATH, USER, Clerks, Desk, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def first_codes(clerks: Clerks) -> int:
    wanted = select(credential.c.id).where(credential.c.kind == "first_code")
    return len(await clerks.house.database.read(lambda rows: rows.execute(wanted).all()))


async def test_from_the_paper_to_a_code_and_from_the_code_to_the_page_it_is_typed_on(
    clerks: Clerks, edda: Desk
) -> None:
    reference = await edda.accepted(name="Cora First", address="first@vale.example")
    user = f"{reference}/users/1"
    page = await edda.done(f"{user}/meeting", at=edda.at(days=1), link="https://video.example/room")
    assert "The meeting is on" in words_of(page)
    calendar = await edda.browser.see(f"{PATH}/{user}/meeting.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "attachment" in calendar.headers["content-disposition"]
    assert b"https://video.example/room" in calendar.content.replace(b"\r\n ", b"")
    for word in (b"Cora", b"Vale", clerks.case.encode(), reference.encode()):
        assert word not in calendar.content
    ticked = {f"check-{one}": "yes" for one in CHECKS}
    page = await edda.done(f"{user}/outcome", outcome="identified", document="passport", **ticked)
    assert "Edda Enroller held it and saw: passport" in words_of(page)
    answer = await edda.send(f"{user}/code", page, hours="24")
    code = re.search(r'<span class="secret">([^<]+)</span>', answer.text)[1]
    assert "/first-sign-in" in answer.text
    assert code not in await edda.see(user)
    async with Browser(clerks.house) as cora:
        asked = await cora.see("/first-sign-in")
        assert asked.status_code == 200


async def test_a_meeting_is_moved_and_what_it_came_to_is_judged(edda: Desk) -> None:
    reference = await edda.accepted(name="Cora Second", address="second@vale.example")
    user = f"{reference}/users/1"
    for at in ("", "never", "2020-01-01T10:00"):
        answer = await edda.send(f"{user}/meeting", at=at, link="https://video.example/kept")
        assert answer.status_code == 422
        assert 'value="https://video.example/kept"' in answer.text
    answer = await edda.send(f"{user}/meeting", at=edda.at(days=1), link="http://video.example")
    assert answer.status_code == 422
    assert 'id="link-problem"' in answer.text
    assert (await edda.browser.see(f"{PATH}/{user}/meeting.ics")).status_code == 404
    page = await edda.done(f"{user}/meeting", at=edda.at(days=1))
    page = await edda.done(f"{user}/meeting", page, at=edda.at(days=2))
    assert "cancelled" in words_of(page)
    answer = await edda.send(f"{user}/outcome", page, outcome="identified", **{"check-live-picture": "yes"})
    assert answer.status_code == 422
    assert 'id="check-live-picture" type="checkbox" name="check-live-picture" value="yes" checked' in answer.text
    assert "which kind of document" in answer.text
    assert (await edda.send(f"{user}/outcome", page)).status_code == 422
    told = await edda.done(f"{user}/outcome", page, outcome="nobody-came")
    assert "nobody came" in words_of(told)
    assert "Arrange another one" in words_of(told)
    assert (await edda.send(f"{user}/outcome", page, outcome="nobody-came")).status_code == 422


async def test_a_code_is_shown_again_and_voids_the_one_before_and_twice_sent_is_told(
    clerks: Clerks, edda: Desk
) -> None:
    reference = await edda.accepted(name="Cora Third", address="third@vale.example")
    user = f"{reference}/users/1"
    await edda.met(reference)
    page = await edda.see(user)
    first = await edda.send(f"{user}/code", page, hours="48")
    count = await first_codes(clerks)
    again = await edda.send(f"{user}/code", page, hours="48")
    assert (first.status_code, again.status_code) == (200, 409)
    assert await first_codes(clerks) == count
    assert await edda.code(reference) not in first.text
    assert "Let in" in words_of(await edda.done(f"{user}/steps", step="join"))
    assert "Suspend this user" in words_of(await edda.see(user))


async def test_nobody_is_invited_before_the_form_is_accepted(edda: Desk) -> None:
    reference = await edda.opened()
    await edda.named(reference, name="Cora Fourth", address="fourth@vale.example")
    user = f"{reference}/users/1"
    await edda.met(reference)
    page = await edda.see(user)
    assert "The form has to be accepted" in words_of(page)
    assert f"{user}/code" not in page
    steps = await edda.see(user)
    answer = await edda.send(f"{user}/code", hours="48", **_token(steps))
    assert answer.status_code == 422


async def test_a_user_is_stopped_given_back_and_taken_out_with_a_slip_undone(edda: Desk) -> None:
    reference = await edda.accepted(name="Cora Fifth", address="fifth@vale.example")
    user = f"{reference}/users/1"
    await edda.met(reference)
    await edda.code(reference)
    await edda.done(f"{user}/steps", step="join")
    assert "stopped" in words_of(await edda.done(f"{user}/steps", step="suspend"))
    page = await edda.done(f"{user}/steps", step="resume")
    seen = page
    assert "Taken out" in words_of(await edda.done(f"{user}/steps", page, step="revoke"))
    late = await edda.send(f"{user}/steps", seen, step="suspend")
    assert late.status_code == 409
    assert "Somebody was here before you" in late.text
    assert "taken back" in words_of(await edda.done(f"{user}/steps", step="undo"))
    assert "active" in words_of(await edda.see(user))
    assert (await edda.send(f"{user}/steps", step="jump")).status_code == 400


async def test_an_address_is_changed_when_it_was_asked_for_in_writing(edda: Desk) -> None:
    reference = await edda.accepted(name="Cora Sixth", address="sixth@vale.example")
    user = f"{reference}/users/1"
    page = await edda.see(user)
    for typed in ({"address": "new@vale.example"}, {"address": "nonsense", "in-writing": "yes"}):
        answer = await edda.send(f"{user}/address", page, **typed)
        assert answer.status_code == 422
        assert f'value="{typed["address"]}"' in answer.text
        assert 'id="address-problem"' in answer.text
    taken = {"address": "ines@agency.example", "in-writing": "yes"}
    assert (await edda.send(f"{user}/address", page, **taken)).status_code == 422
    for _ in range(2):
        page = await edda.done(f"{user}/address", address="new@vale.example", **{"in-writing": "yes"})
        assert "new@vale.example" in words_of(page)


async def test_a_user_is_named_field_by_field_and_known_people_are_proposed_and_never_taken(edda: Desk) -> None:
    known = await edda.accepted(name="Dora Vale", address="dora@vale.example")
    reference = await edda.opened()
    page = await edda.see(f"{reference}/users/new")
    answer = await edda.send(f"{reference}/users/new", page, name="Kept Name", address="nonsense", role="agent")
    assert answer.status_code == 422
    assert 'value="Kept Name"' in answer.text
    for name in ("address", "telephone"):
        assert f'id="{name}-problem"' in answer.text
    same = {**USER, "name": "Someone Else", "address": "dora@vale.example"}
    answer = await edda.send(f"{reference}/users/new", page, **same)
    assert answer.status_code == 422
    assert "Dora Vale, dora@vale.example" in words_of(answer.text)
    assert "same address" in words_of(answer.text)
    person = re.search(r'name="person" value="([0-9a-f]{32})"', answer.text)[1]
    # Naming somebody known here leaves it to them to say so.
    await edda.done(f"{reference}/users/new", answer.text, **{**same, "person": person})
    await edda.done(f"{reference}/steps", step="review")
    assert "They confirm" not in words_of(await edda.see(f"{reference}/users/1"))
    await edda.met(reference)
    page = await edda.see(f"{reference}/users/1")
    assert "confirm the agreement themselves" in words_of(page)
    assert "no code is needed" in words_of(await edda.done(f"{reference}/users/1/code", page))
    assert known != reference


async def test_naming_twice_by_one_form_names_one(edda: Desk) -> None:
    reference = await edda.opened()
    page = await edda.see(f"{reference}/users/new")
    same = {**USER, "name": "Twice Vale", "address": "twice@vale.example", "person": "new"}
    first = await edda.send(f"{reference}/users/new", page, **same)
    second = await edda.send(f"{reference}/users/new", page, **same)
    assert (first.status_code, second.status_code) == (303, 422)
    assert "already" in second.text
    assert len(re.findall(r'href="/desk/agreements/[^"]+/users/\d+"', await edda.see(reference))) == 1


async def test_an_authorisation_is_entered_beside_its_document_says_what_it_revokes_and_is_revoked(
    clerks: Clerks, edda: Desk
) -> None:
    reference = await edda.accepted(name="Reyes", address="reyes@partners.example", role="designee")
    user = f"{reference}/users/1"
    new = f"{user}/authorisations/new"
    item = await clerks.fax()
    assert "Form 8821" in words_of(await edda.see(new))
    page = await edda.see(f"{new}?kind=authorisation-see&item={item}")
    assert "data:image/png;base64," in page
    half = {"f-designee": "Reyes & Partners", "received": edda.today(), "last-day": "soon"}
    answer = await edda.send(f"{new}?kind=authorisation-see&item={item}", page, **half)
    assert answer.status_code == 422
    assert 'value="Reyes &amp; Partners"' in answer.text
    for name in ("f-taxpayer", "f-matters", "last-day"):
        assert f'id="{name}-problem"' in answer.text
    whole = {f"f-{key}": value for key, value in INFORMATION.items()}
    sent = {**whole, "received": edda.today(), "last-day": "", f"case-{clerks.case}": "yes"}
    page = await edda.done(f"{new}?kind=authorisation-see&item={item}", page, **sent)
    assert "The authorization is entered" in words_of(page)
    assert item in await edda.see(reference)
    page = await edda.see(new)
    assert "Reyes: Form 8821" in words_of(page)
    first = await edda.send(f"{new}?kind=authorisation-see", page, **sent)
    second = await edda.send(f"{new}?kind=authorisation-see", page, **sent)
    assert (first.status_code, second.status_code) == (303, 303)
    page = await edda.see(user)
    papers = re.findall(rf'href="{PATH}/({user}/authorisations/[0-9a-f]{{32}})"', page)
    assert len(papers) == 2
    paper = await edda.see(papers[0])
    assert "data:image/png;base64," in paper
    assert "Reyes and Partners" in paper
    assert "withholding, 2026" not in paper
    shown = await edda.send(papers[0], paper)
    assert "withholding, 2026" in shown.text
    assert (await edda.browser.see(f"{PATH}/{papers[1]}?item={item}")).status_code == 404
    assert len(re.findall(r"/authorisations/[0-9a-f]{32}/revoke", page)) == 1  # the first was revoked by the second
    path = re.search(rf'href="{PATH}/({user}/authorisations/[0-9a-f]{{32}}/revoke)"', page)[1]
    asked = await edda.see(path)
    assert "Nothing else gives this person access" in words_of(asked)
    for _ in range(2):
        assert "The authorization is revoked" in words_of(await edda.done(path, asked))


async def test_what_the_programme_marks_so_waits_for_a_second_person(
    clerks: Clerks, edda: Desk, emil: Desk, two_people: None
) -> None:
    reference = await edda.opened()
    await edda.named(reference, name="Two People", address="two@vale.example")
    page = await edda.done(f"{reference}/steps", step="review")
    assert "Somebody else has to approve this now" in words_of(page)
    assert "Edda Enroller has asked to accept the form" in words_of(page)
    assert "Approve it" not in words_of(page)
    path = re.search(r'action="(/desk/approvals/[0-9a-f]+)"', page)[1]
    assert (await edda.send(path, page, do="approve")).status_code == 422
    assert "approve a step" in words_of(await emil.see("/desk/agreements?waits"))
    page = await emil.see(reference)
    assert "Approved, and done" in words_of(await emil.done(path, page, do="approve"))
    again = await emil.send(path, page, do="approve")
    assert again.status_code == 409
    assert "This was decided before" in again.text
    page = await edda.done(f"{reference}/users/1/steps", step="revoke")
    path = re.search(r'action="(/desk/approvals/[0-9a-f]+)"', await edda.see(reference))[1]
    assert "nothing was changed" in words_of(await edda.done(path, await edda.see(reference), do="decline"))


@pytest.fixture
def two_people(clerks: Clerks) -> None:
    """The programme wants two people for some verbs, from here on."""
    import dataclasses

    programmes = clerks.house.programmes
    rules = dataclasses.replace(programmes["cwa"].enrolment, two_people=frozenset({"review_agreement", "revoke_user"}))
    programmes["cwa"] = dataclasses.replace(programmes["cwa"], enrolment=rules)  # type: ignore[index]


def _token(page: str) -> dict[str, str]:
    """The token and version that any form of the desk on a page carries."""
    found = {}
    for name in ("form_token", "version"):
        found[name] = re.findall(rf'name="{name}" value="([^"]*)"', page)[-1]
    return found
