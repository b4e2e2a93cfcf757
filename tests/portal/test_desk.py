"""The enrolment desk: agreements opened, checked against their paper, accepted, stopped, ended; and who was first."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from gateway.domain.enrolment import Stage
from gateway.portal.desk import reports
from gateway.store.funnel import Funnel
from gateway.store.tables import enrolment, form_document, leaf
from tests.papers import CONSENT, TIN
from tests.portal.browser import Browser
from tests.portal.clerks import PATH, Clerks, Desk, form_of, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def leaves(clerks: Clerks, kind: str) -> list[str]:
    wanted = select(leaf.c.body).where(leaf.c.kind == kind).order_by(leaf.c.id)
    return list(await clerks.house.database.read(lambda connection: list(connection.execute(wanted).scalars())))


async def test_the_desk_is_in_the_way_of_who_enrols_and_of_nobody_else(clerks: Clerks, edda: Desk) -> None:
    assert f'href="{PATH}"' in await edda.see("/cases")
    async with Browser(clerks.house) as browser:
        await browser.sign_in(clerks.ines)
        assert f'href="{PATH}"' not in (await browser.see("/cases")).text
        for path in (PATH, f"{PATH}/new", "/desk/funnel", "/desk/report"):
            assert (await browser.see(path)).status_code == 404


async def test_an_agreement_is_opened_from_a_document_of_the_tray_and_checked_beside_it(
    clerks: Clerks, edda: Desk
) -> None:
    item = await clerks.fax(pages=2)
    assert f"Look at {item}" in words_of(await edda.see("new"))
    before = len(await leaves(clerks, "document_opened"))
    page = await edda.see(f"new?item={item}")
    assert "data:image/png;base64," in page
    assert "Page 1 of 2" in words_of(page)
    assert len(await leaves(clerks, "document_opened")) == before + 1
    answer = await edda.send(f"new?item={item}", page, **{"f-agent-name": "Vale Tours Ltd"}, received=edda.today())
    assert answer.status_code == 303
    reference = re.search(r"/(E-[^/?]+)/form", answer.headers["location"])[1]
    form = await edda.see(answer.headers["location"])
    assert "The agreement is open" in words_of(form)
    assert "data:image/png;base64," in form
    second = await edda.see(f"{reference}/form?item={item}&page=2&turn=90")
    assert "Page 2 of 2" in words_of(second)
    assert item not in await edda.see("new")
    rows = await clerks.house.database.read(lambda connection: connection.execute(select(form_document)).all())
    assert len(rows) >= 1
    listed = words_of(await edda.see())
    assert f"{reference} Vale Tours Ltd" in listed
    assert "check the form" in listed


async def test_the_picture_may_be_shown_and_nothing_may_run(clerks: Clerks, edda: Desk) -> None:
    item = await clerks.fax()
    answer = await edda.browser.see(f"{PATH}/new?item={item}")
    policy = answer.headers["content-security-policy"]
    assert "img-src 'self' data:;" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


async def test_a_form_with_half_the_fields_says_what_is_missing_until_nothing_is(clerks: Clerks, edda: Desk) -> None:
    reference = await edda.opened(case=False, fields={"agent-name": "Half Ltd"})
    page = words_of(await edda.see(reference))
    assert "Taxpayer identification number" in page
    assert "a case that it covers" in page
    assert "a designated user" in page
    assert "Noted: you ask" in words_of(await edda.done(f"{reference}/steps", step="ask"))
    typed = {f"f-{key}": value for key, value in CONSENT.items()}
    await edda.done(f"{reference}/form", **typed)
    await edda.done(f"{reference}/cases", case=clerks.case)
    await edda.named(reference)
    page = await edda.see(reference)
    assert "Nothing is missing" in words_of(page)
    assert "January 5, 2026" in words_of(page)
    assert not re.search(r"\d{4}-\d\d-\d\d", words_of(page))
    assert "The form is accepted" in words_of(await edda.done(f"{reference}/steps", step="review"))


async def test_what_cannot_be_is_said_field_by_field_and_what_was_typed_stays(edda: Desk) -> None:
    wrong = {"f-agent-name": "Typed & kept", "f-agent-tin": "12", "f-signature-date": "2999-01-01", "received": "never"}
    page = await edda.see("new?by-hand")
    answer = await edda.send("new?by-hand", page, **wrong)
    assert answer.status_code == 422
    assert 'value="Typed &amp; kept"' in answer.text
    assert 'value="12"' in answer.text
    for name in ("f-agent-tin", "f-signature-date", "received"):
        assert f'id="{name}-problem"' in answer.text
        assert f'href="#{name}"' in answer.text
    assert re.search(r'id="f-agent-tin-problem">It has nine digits', answer.text)
    assert (await edda.send("new?by-hand", page, received=edda.today(), cases="SM-XXXX")).status_code == 422


async def test_opening_twice_by_one_form_is_one_agreement(clerks: Clerks, edda: Desk) -> None:
    page = await edda.see("new?by-hand")
    sent = [await edda.send("new?by-hand", page, received=edda.today()) for _ in range(2)]
    assert sent[0].headers["location"] == sent[1].headers["location"]


async def test_what_is_sealed_is_on_no_page_until_it_is_asked_for_on_record(clerks: Clerks, edda: Desk) -> None:
    reference = await edda.opened()
    for path in ("", reference, f"{reference}/form"):
        page = await edda.see(path)
        assert TIN not in page
        assert "123456789" not in page
    before = len(await leaves(clerks, "paper_opened"))
    shown = await edda.send(f"{reference}/form", do="show-sealed", **{"f-agent-name": "typed meanwhile"})
    assert "123456789" in shown.text
    assert 'value="typed meanwhile"' in shown.text
    assert len(await leaves(clerks, "paper_opened")) == before + 1
    found = await edda.send("find", await edda.see(), value=TIN)
    assert reference in words_of(found.text)
    assert TIN not in str(found.url)
    assert (await edda.send("find", await edda.see(), value="1")).status_code == 422


async def test_a_step_that_somebody_else_was_quicker_with_is_told_and_not_done(edda: Desk, emil: Desk) -> None:
    reference = await edda.accepted()
    seen = await emil.see(reference)
    await edda.done(f"{reference}/steps", step="suspend")
    late = await emil.send(f"{reference}/steps", seen, step="notice")
    assert late.status_code == 409
    assert "Somebody was here before you" in late.text
    assert "suspended" in words_of(late.text)


async def test_a_step_sent_twice_is_done_once(clerks: Clerks, edda: Desk) -> None:
    reference = await edda.accepted()
    page = await edda.see(reference)
    first = await edda.send(f"{reference}/steps", page, step="suspend")
    second = await edda.send(f"{reference}/steps", page, step="suspend")
    assert (first.status_code, second.status_code) == (303, 409)
    assert "If you sent the form twice" in words_of(second.text)
    done = await leaves(clerks, "agreement_suspend")
    ids = await clerks.house.database.read(
        lambda rows: rows.execute(select(enrolment.c.agreement_id).where(enrolment.c.reference == reference)).scalar()
    )
    assert sum(str(ids) in body for body in done) == 1


async def test_two_clerks_who_write_the_same_form_lose_nothing(edda: Desk, emil: Desk) -> None:
    reference = await edda.opened(fields={"agent-name": "Vale Tours", "matter": "Tour"})
    hers, his = await edda.see(f"{reference}/form"), await emil.see(f"{reference}/form")
    both = {"f-agent-name": "Vale Tours", "f-matter": "Tour"}
    await edda.done(f"{reference}/form", hers, **{**both, "f-agent-name": "Vale Tours Ltd"})
    # Another field: both stand.
    await emil.done(f"{reference}/form", his, **{**both, "f-signer-name": "Ines Vale"})
    page = await edda.see(f"{reference}/form")
    assert 'value="Vale Tours Ltd"' in page
    assert 'value="Ines Vale"' in page
    # The same field: the second is told, and sees both.
    his = await emil.see(f"{reference}/form")
    await edda.done(f"{reference}/form", page, **{**both, "f-agent-name": "Vale Tours Limited"})
    late = await emil.send(f"{reference}/form", his, **{**both, "f-agent-name": "Vale GmbH"})
    assert late.status_code == 409
    assert 'value="Vale GmbH"' in late.text
    assert "“Vale Tours Limited” here" in words_of(late.text)
    again = {"f-agent-name": "Vale GmbH", "f-matter": "Tour", "f-signer-name": "Ines Vale"}
    page = await emil.done(f"{reference}/form", late.text, **again)
    assert 'value="Vale GmbH"' in page


async def test_the_same_form_sent_twice_is_kept_once_without_a_word(edda: Desk) -> None:
    reference = await edda.opened(fields={"agent-name": "Vale"})
    page = await edda.see(f"{reference}/form")
    for _ in range(2):
        assert "Kept" in words_of(await edda.done(f"{reference}/form", page, **{"f-agent-name": "Vale Ltd"}))


async def test_a_slip_is_taken_back_and_what_is_final_is_not(edda: Desk) -> None:
    reference = await edda.accepted()
    assert "taken back" in words_of(await edda.done(f"{reference}/steps", step="undo"))
    assert "received" in words_of(await edda.see(reference))
    await edda.done(f"{reference}/steps", step="review")
    await edda.done(f"{reference}/steps", step="notice")
    assert "Access ends with" in words_of(await edda.see(reference))
    page = await edda.done(f"{reference}/steps", step="end")
    assert "The agreement has ended" in words_of(page)
    assert 'value="undo"' not in page
    sent = {**form_of(page, f"{PATH}/{reference}/cases"), "form_token": form_of(page, "/sign-out")["form_token"]}
    assert (await edda.browser.http.post(f"{PATH}/{reference}/steps", data=sent)).status_code == 403


async def test_a_form_is_turned_away_for_a_reason(edda: Desk) -> None:
    reference = await edda.opened()
    page = await edda.see(reference)
    assert (await edda.send(f"{reference}/steps", page, step="refuse", reason="because")).status_code == 422
    assert "turned away" in words_of(await edda.done(f"{reference}/steps", page, step="refuse", reason="not-signed"))


async def test_a_document_goes_back_into_the_tray_until_the_form_is_accepted(clerks: Clerks, edda: Desk) -> None:
    item = await clerks.fax()
    reference = await edda.opened()
    page = await edda.done(f"{reference}/documents", item=item)
    assert item in page
    assert "linked" in words_of(await edda.done(f"{reference}/documents", item=item))  # twice is once
    assert "back in the tray" in words_of(await edda.done(f"{reference}/documents", item=item, remove="yes"))
    assert item in await edda.see("new")
    assert (await edda.send(f"{reference}/documents", item="U-2222-2222")).status_code == 422


async def test_a_case_that_is_not_there_is_said_at_its_field(clerks: Clerks, edda: Desk) -> None:
    reference = await edda.opened(case=False)
    answer = await edda.send(f"{reference}/cases", case="SM-2222")
    assert answer.status_code == 422
    assert 'value="SM-2222"' in answer.text
    await edda.done(f"{reference}/cases", case=clerks.case)
    await edda.done(f"{reference}/cases", case=clerks.case)
    assert "covers the case no more" in words_of(await edda.done(f"{reference}/cases", case=clerks.case, remove="yes"))


async def test_the_list_is_narrowed_by_state_and_by_what_waits_and_paged(clerks: Clerks, edda: Desk) -> None:
    for _ in range(26):
        await edda.opened()
    first = await edda.see()
    following = re.search(r'href="([^"]+after=[^"]+)"', first)[1].replace("&amp;", "&")
    listed = re.findall(r'href="/desk/agreements/(E-[^"/]+)"', first)
    assert len(listed) == 25
    rest = re.findall(r'href="/desk/agreements/(E-[^"/]+)"', await edda.see(following))
    assert not set(listed) & set(rest)
    ended = await edda.accepted()
    await edda.done(f"{ended}/steps", step="end")
    assert ended in await edda.see("/desk/agreements?state=ended")
    assert ended not in await edda.see("/desk/agreements?waits")
    assert "There is no such agreement" in words_of(await edda.see("/desk/agreements?days=30"))


async def test_a_part_of_a_document_is_downloaded_as_a_file_and_by_nobody_else(clerks: Clerks, edda: Desk) -> None:
    item = await clerks.fax()
    page = await edda.see(f"new?item={item}")
    path = re.search(r'href="(/desk/documents/[^"]+)"', page)[1]
    got = await edda.browser.see(path)
    assert got.content[:2] == b"II"
    assert "attachment" in got.headers["content-disposition"]
    assert "sandbox" in got.headers["content-security-policy"]
    async with Browser(clerks.house) as browser:
        await browser.sign_in(clerks.ines)
        assert (await browser.see(path)).status_code == 404


async def test_what_was_addressed_to_the_operators_is_no_document_of_the_desk(clerks: Clerks, edda: Desk) -> None:
    from gateway.store.tables import intake

    item = await clerks.fax()
    await clerks.house.database.run(
        lambda tx: tx.execute(intake.update().where(intake.c.reference == item).values(tray="operators"))
    )
    assert item not in await edda.see("new")
    assert (await edda.browser.see(f"{PATH}/new?item={item}")).status_code == 404


async def test_the_reports_are_there(edda: Desk) -> None:
    assert "people have access" in words_of(await edda.see("/desk/report"))
    assert "Invited" in words_of(await edda.see("/desk/funnel?days=30"))


@pytest.mark.parametrize(
    ("seconds", "told"), [(20, "1 minute."), (61, "2 minutes."), (59 * 60, "59 minutes."), (3600 * 3, "3.0 hours.")]
)
async def test_the_funnel_tells_minutes_under_an_hour(
    edda: Desk, monkeypatch: pytest.MonkeyPatch, seconds: int, told: str
) -> None:
    counts = dict.fromkeys(Stage, 1)
    monkeypatch.setattr(reports, "funnel", lambda *_: Funnel(counts, {}, 0, seconds * 1e6, ()))
    assert f"took no more than {told}" in words_of(await edda.see("/desk/funnel"))
