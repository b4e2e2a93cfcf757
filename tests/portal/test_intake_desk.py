"""The intake desk: the queue, claims, sections, acts and what undoes them, and an enrolment with values suggested."""

from __future__ import annotations

import html
import json
import re

import httpx2
import pypdfium2
import pytest
from sqlalchemy import select

from gateway.store import tables
from tests.papers import CONSENT, INFORMATION
from tests.portal.clerks import USER, Clerks, Desk, form_of, words_of
from tests.portal.faxed import GUESS, bring, recognised

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUEUE = "/desk/intake"


async def entries(clerks: Clerks, kind: str) -> list[dict[str, object]]:
    rows = await clerks.house.database.read(lambda connection: connection.execute(select(tables.leaf)).all())
    return [json.loads(row.body) for row in rows if row.kind == kind]


async def press(desk: Desk, shown: str, action: str, **fields: str) -> httpx2.Response:
    """Send one of a page's forms."""
    return await desk.browser.http.post(action, data={**form_of(shown, action), **fields})


async def done(desk: Desk, shown: str, action: str, **fields: str) -> str:
    answer = await press(desk, shown, action, **fields)
    assert answer.status_code == 303, words_of(answer.text)
    return await desk.see(answer.headers["location"])


def row_of(page: str, item: str) -> str:
    """What the queue says of an item."""
    found = re.search(rf'<tr>\s*<th[^>]*><a href="/desk/intake/{item}">.*?</tr>', page, re.DOTALL)
    return words_of(f"<main {found[0]}") if found else ""


async def test_the_queue_tells_of_each_fax_what_it_is_taken_for_and_how_sure(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, found=recognised(), number=1)
    plain = await bring(clerks, ["A letter"], number=2)
    assert (await bring(clerks, number=1)) == item
    page = await edda.see(QUEUE)
    told = row_of(page, item)
    assert all(word in told for word in ("Form 15410 99 %", "Form 8821 98 %", "3", "line-one", "Claim and open"))
    assert "not read so far" in row_of(page, plain)
    assert "overdue" not in told
    assert "line-one" in words_of(page).partition("Sources")[2]
    assert (await entries(clerks, "intake_listed"))[-1]["by"] == clerks.edda.id
    clerks.house.clock.advance(4 * 24 * 3600)
    async with clerks.at_work() as later:
        assert "overdue" in row_of(await later.see(QUEUE), item)


async def test_a_claim_keeps_others_away_until_it_is_over_or_taken_over(clerks: Clerks, edda: Desk, emil: Desk) -> None:
    item = await bring(clerks, number=3)
    page = await done(edda, await edda.see(QUEUE), f"{QUEUE}/{item}/claim", do="claim")
    assert "You have claimed it until" in words_of(page)
    assert "Edda Enroller until" in row_of(await emil.see(QUEUE), item)
    other = await emil.see(f"{QUEUE}/{item}")
    assert "Edda Enroller has claimed it" in words_of(other)
    refused = await press(emil, other, f"{QUEUE}/{item}/acts", do="discard")
    assert refused.status_code == 409
    assert "Somebody else works on it now" in words_of(refused.text)
    assert (await press(emil, other, f"{QUEUE}/{item}/claim", do="claim")).status_code == 409
    page = await done(emil, other, f"{QUEUE}/{item}/claim", do="take-over")
    assert "You have taken it over" in words_of(page)
    assert (await entries(clerks, "intake_claimed"))[-1]["facts"]["taken_over_from"] == clerks.edda.id
    clerks.house.clock.advance(16 * 60)
    assert "Nobody has claimed it" in words_of(await edda.see(f"{QUEUE}/{item}"))


async def test_a_claim_that_is_given_back_is_anybodys(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, number=4)
    page = await done(edda, await edda.see(QUEUE), f"{QUEUE}/{item}/claim", do="claim")
    page = await done(edda, page, f"{QUEUE}/{item}/claim", do="release")
    assert "Claim and open" in row_of(page, item)


async def test_an_item_shows_its_pages_with_what_may_stand_on_them_and_the_signature(
    clerks: Clerks, edda: Desk
) -> None:
    item = await bring(clerks, found=recognised(turns=(0, 180, 0)), number=5)
    page = await edda.see(f"{QUEUE}/{item}")
    said = words_of(page)
    assert "Section 1" in said
    assert CONSENT["agent-name"] in said
    assert "Something is written in the signature’s place on page 1." in said
    assert page.count("data:image/png;base64,") == 2
    assert page.count('class="crop"') == len(CONSENT) + 4 + 1
    assert "Form 8821" in words_of(await edda.see(f"{QUEUE}/{item}?section=2"))
    assert len([one for one in await entries(clerks, "document_opened") if one["by"] == clerks.edda.id]) >= 2


async def test_sections_are_split_joined_and_turned_and_that_is_undone(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, found=recognised(), number=6)
    address = f"{QUEUE}/{item}"
    page = await done(edda, await edda.see(address), f"{address}/pages", do="split", page="2")
    assert "Section 2" in words_of(page)
    assert len(re.findall(r"section=\d\" ?accesskey", page)) == 3
    page = await done(edda, page, f"{address}/pages", do="turn", page="2")
    page = await done(edda, page, f"{address}/pages", do="merge", page="2")
    assert len(re.findall(r"section=\d\" ?accesskey", page)) == 2
    page = await done(edda, page, f"{address}/undo")
    assert len(re.findall(r"section=\d\" ?accesskey", page)) == 3
    stale = await press(edda, page, f"{address}/pages", do="turn", page="1", version="1")
    assert stale.status_code == 409
    clerks.house.clock.advance(11 * 60)
    late = await press(edda, page, f"{address}/undo", **form_of(page, f"{address}/claim"))
    assert (late.status_code, "There is nothing to undo" in late.text) == (409, True)


async def test_a_fax_is_filed_in_a_case_by_a_clerk_who_does_not_stand_in_it_and_comes_back(
    clerks: Clerks, edda: Desk
) -> None:
    item = await bring(clerks, number=7)
    address = f"{QUEUE}/{item}"
    wrong = await press(edda, await edda.see(address), f"{address}/acts", do="file", case="SM-2222")
    assert wrong.status_code == 422
    page = await done(edda, await edda.see(address), f"{address}/acts", do="file", case=clerks.case)
    assert "Filed." in words_of(page)
    assert f"{item}: filed in a case {clerks.case}" in words_of(page)
    assert (await edda.browser.see(address)).status_code == 404
    page = await done(edda, page, f"{address}/undo")
    assert "Undone" in words_of(page)
    assert (await entries(clerks, "intake_undone"))[-1]["facts"]["act"] == "filed"


async def test_what_is_misdirected_leaves_the_queue_with_its_reason_on_record(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, number=8)
    address = f"{QUEUE}/{item}"
    page = await done(edda, await edda.see(address), f"{address}/acts", do="misdirect", reason="wrong-number")
    assert row_of(page, item) == ""
    assert (await entries(clerks, "intake_misdirected"))[-1]["facts"]["reason"] == "wrong-number"
    await done(edda, page, f"{address}/undo")
    assert row_of(await edda.see(QUEUE), item) != ""


async def test_one_form_is_attached_to_several_agreements_and_taken_from_each_by_itself(
    clerks: Clerks, edda: Desk
) -> None:
    item = await bring(clerks, number=9)
    address = f"{QUEUE}/{item}"
    first, second = await edda.opened(), await edda.opened(case=False)
    for agreement in (first, second):
        page = await done(edda, await edda.see(address), f"{address}/acts", do="link", agreement=agreement)
        assert "Linked." in words_of(page)
    for agreement in (first, second):
        assert item in await edda.see(f"{agreement}/form")
    await done(edda, page, f"{address}/undo")
    assert item not in await edda.see(f"{second}")
    assert item in await edda.see(f"{first}")
    await edda.done(f"{first}/documents", await edda.see(first), item=item, remove="yes")
    assert row_of(await edda.see(QUEUE), item) != ""


async def test_an_enrolment_is_opened_with_the_values_that_were_suggested(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, found=recognised(), number=10)
    address = f"{QUEUE}/{item}/enrol"
    page = await edda.see(address)
    assert GUESS not in page
    assert GUESS not in await edda.see(f"{QUEUE}/{item}")
    typed = filled(page)
    assert typed["f-agent-name"] == CONSENT["agent-name"]
    assert (typed["u1-name"], typed["u1-address"]) == (USER["name"], USER["address"])
    assert typed["u1-role"] == "designee"
    assert typed["a2-user"] == "1"
    wrong = await edda.browser.http.post(address, data={**typed, "f-agent-tin": "12"})
    assert wrong.status_code == 422
    answer = await edda.browser.http.post(address, data={**typed, "cases": clerks.case})
    assert answer.status_code == 303, words_of(answer.text)
    page = await edda.see(answer.headers["location"])
    assert "The enrolment is open" in words_of(page)
    assert USER["name"] in words_of(page)
    assert page.count(f"?item={item}") == 2
    again = await edda.browser.http.post(address, data={**typed, "cases": clerks.case})
    assert again.headers["location"] == answer.headers["location"]


async def test_a_letter_to_the_sender_tells_the_reference_and_nothing_of_the_fax(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, ["Consent of Vale Tours"], found=None, number=40)
    page, action = await edda.see(f"{QUEUE}/{item}"), f"{QUEUE}/{item}/letter"
    answer = await press(edda, page, action, reason="missing-page", language="es")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'attachment; filename="letter-{item}.pdf"'
    words = "".join(one.get_textpage().get_text_bounded() for one in pypdfium2.PdfDocument(answer.content))
    assert item in words
    assert "Vale" not in words
    (entry,) = [one for one in await entries(clerks, "fax_letter_made") if one["by"] == clerks.edda.id]
    assert (entry["facts"]["reason"], entry["facts"]["language"]) == ("missing-page", "es")
    for wrong in ({"reason": "sold"}, {"language": "xx"}):
        assert (await press(edda, page, action, **{"reason": "received", "language": "en", **wrong})).status_code == 400
    assert (await press(edda, page, action.replace(item, "U-AAAA-AAAA"), reason="received")).status_code in {404, 403}


async def test_a_page_that_nobody_signed_for_gives_nothing(clerks: Clerks, edda: Desk) -> None:
    item = await bring(clerks, number=11)
    for action in ("claim", "acts", "pages", "undo", "enrol"):
        answer = await edda.browser.http.post(f"{QUEUE}/{item}/{action}", data={"form_token": "x", "do": "discard"})
        assert answer.status_code == 403
    async with clerks.at_work(clerks.ines) as other:
        for path in (QUEUE, f"{QUEUE}/{item}", f"{QUEUE}/{item}/enrol"):
            assert (await other.browser.see(path)).status_code == 404


def filled(page: str) -> dict[str, str]:
    """What the page's form would send as it stands."""
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if "usa-form--large" in one)
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and ("checkbox" not in tag or " checked" in tag):
            sent[name[1]] = html.unescape(value[1])
    for name, options in re.findall(r'<select[^>]* name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        sent[name] = chosen[1] if chosen else ""
    assert all(sent[f"a2-f-{key}"] == value for key, value in INFORMATION.items())
    return sent
