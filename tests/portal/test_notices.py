"""People see what was sent to them, choose how they are told, and find out whether a mail is genuine."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.notice import NoticeKind
from gateway.store.claims import claim
from gateway.store.outbox import put
from gateway.store.people import wishes_of
from gateway.store.settlements import settle
from gateway.store.tables import outbox
from gateway.store.transaction import Transaction
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/account/notices"


def rows_of(page: str) -> list[str]:
    """The list as it reads: a line for each mail."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL) if body else []
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def settle_all(tx: Transaction, authority: object, deliveries: dict[str, Delivery]) -> list[str]:
    """Claim what is due and settle each by the address it goes to; return the ids."""
    entries = claim(tx, 60_000_000, 100)
    tx.flush()
    for entry in entries:
        said = deliveries.get(entry.address or "", Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued"))
        settle(tx, authority, b"h" * 32, entry, said, None)
    return [entry.id for entry in entries]


async def settled(story: Story, **deliveries: Delivery) -> list[str]:
    house = story.house
    by_address = {house.people[name].address: said for name, said in deliveries.items()}
    return await house.database.run(settle_all, house.authority, by_address)


async def test_a_person_sees_what_was_sent_to_them_when_where_and_what_became_of_it(
    story: Story, berg: Browser
) -> None:
    before = rows_of((await berg.see(PATH)).text)
    assert len(before) == 1
    assert before[0].startswith(f"A message is waiting for you {story.first} ")
    assert before[0].endswith("not chosen yet waits to be sent")
    await settled(story)
    (line,) = rows_of((await berg.see(PATH)).text)
    assert "b•••@firm.example taken by the mail system of the address" in line
    assert re.search(r"\d{4}, \d{1,2}:\d\d.[AP]M E[SD]T", line)
    assert story.berg.address not in (await berg.see(PATH)).text


async def test_nobody_sees_what_was_sent_to_another(story: Story) -> None:
    async with Browser(story.house) as otto:
        await otto.sign_in(story.otto)
        page = (await otto.see(PATH)).text
        assert "We have sent you no e-mail so far." in page
        assert story.first not in page
        answer = await otto.http.post("/genuine", data={"number": story.first})
        assert "We sent you no e-mail like that" in answer.text


async def test_a_failed_one_says_so(story: Story) -> None:
    house = story.house
    lena = await house.add_user("Lena Lost", [story.case_id])
    row = await house.database.run(
        lambda tx: put(tx, programme="cwa", kind=NoticeKind.ACCOUNT_CHANGED, person_id=lena.id)
    )
    assert row in await settled(story, lena=Delivery(DeliveryState.FAILED, 550, "5.1.1", "no such user"))
    async with Browser(house) as browser:
        await browser.sign_in(lena)
        (line,) = rows_of((await browser.see(PATH)).text)
        assert line.startswith("Your account was changed none ")
        assert "could not be delivered" in line


async def test_a_line_counts_the_messages_of_one_mail_and_not_the_people_it_speaks_of(story: Story) -> None:
    house = story.house
    nora = await house.add_user("Nora Number", [story.case_id])

    def tell(tx: Transaction) -> None:
        for kind in (NoticeKind.MESSAGE_WAITING, NoticeKind.CONFIRMATION):
            put(tx, programme="cwa", kind=kind, person_id=nora.id, fields={"count": 2})

    await house.database.run(tell)
    async with Browser(house) as browser:
        await browser.sign_in(nora)
        waiting, confirmed = sorted(rows_of((await browser.see(PATH)).text))
    assert waiting.startswith("A message is waiting for you × 2 none ")
    assert confirmed.startswith("Your message was filed none ")


async def test_the_list_goes_on_for_older_ones(story: Story) -> None:
    house = story.house
    many = await house.add_user("Mara Many", [story.case_id])

    def tell(tx: Transaction) -> None:
        for _ in range(27):
            put(tx, programme="cwa", kind=NoticeKind.SUBMISSION_SUCCESSFUL, person_id=many.id)

    await house.database.run(tell)
    async with Browser(house) as browser:
        await browser.sign_in(many)
        page = (await browser.see(PATH)).text
        assert len(rows_of(page)) == 25
        older = (await browser.see(re.search(rf'href="({PATH}\?before=[^"#]+)', page)[1])).text
        assert len(rows_of(older)) == 2
        assert "Older ones" not in older
        assert len(rows_of((await browser.see(f"{PATH}?before=' OR 1=1")).text)) == 25


async def test_language_link_and_zone_are_chosen_and_kept(story: Story, berg: Browser) -> None:
    house = story.house
    page = await berg.see(PATH)
    assert '<option value="en" lang="en" selected>English</option>' in page.text
    assert '<option value="es" lang="es">Español</option>' in page.text
    wish = {**hidden(page.text), "language": "es", "link": "no", "time_zone": "Europe/Zurich"}
    answer = await berg.http.post(PATH, data=wish)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?saved")
    kept = await house.database.read(wishes_of, story.berg.id)
    assert (kept.language, kept.wants_link, kept.time_zone) == ("es", False, "Europe/Zurich")
    page = await berg.see(PATH)
    assert "<option selected>Europe/Zurich</option>" in page.text
    assert 'value="no" checked' in page.text
    await berg.http.post(PATH, data={**hidden(page.text), "language": "en", "link": "yes", "time_zone": ""})
    kept = await house.database.read(wishes_of, story.berg.id)
    assert (kept.language, kept.wants_link, kept.time_zone) == ("en", True, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "fr"},
        {"language": "e\n"},
        {"link": "perhaps"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
    ],
)
async def test_a_wish_that_cannot_be_is_refused(story: Story, berg: Browser, wrong: dict[str, str]) -> None:
    page = await berg.see(PATH)
    answer = await berg.http.post(
        PATH, data={**hidden(page.text), "language": "en", "link": "yes", "time_zone": "", **wrong}
    )
    assert answer.status_code == 400
    assert (await story.house.database.read(wishes_of, story.berg.id)).language == "en"


async def test_a_wish_needs_the_page_s_own_form(berg: Browser) -> None:
    answer = await berg.http.post(PATH, data={"form_token": "x", "language": "es", "link": "no", "time_zone": ""})
    assert answer.status_code == 403


async def test_anybody_learns_whether_a_mail_left_us_by_its_number_and_nothing_by_a_reference(
    story: Story, anyone: Browser, berg: Browser
) -> None:
    await settled(story)
    row = await story.house.database.read(
        lambda connection: connection.execute(
            select(outbox.c.id).where(outbox.c.person_id == story.berg.id, outbox.c.kind == "message_waiting")
        ).scalar_one()
    )

    async def told(number: str, browser: Browser = anyone) -> str:
        story.house.clock.advance(61)
        return (await browser.http.post("/genuine", data={"number": number})).text

    for number in (f"<notice.{row}@gateway.example>", f"notice.{row}", row, row.upper(), f" {row} "):
        page = await told(number)
        assert "An e-mail with this number left us" in page, number
        assert story.berg.address not in page
        assert story.first not in page
    assert "No e-mail with this number left us" in await told("0" * 32)
    known, unknown = await told(story.first), await told("SM-7K2Q-9F4T")
    assert "A reference alone does not tell" in known
    assert known == unknown
    for odd in ("nonsense", "<abc@elsewhere.example>", "' OR 1=1", "\u0000" * 5, "x" * 5000):
        assert "This is no reference and no number of ours" in await told(odd)
    assert "Yes, we sent you this" in await told(f"<notice.{row}@gateway.example>", berg)
    mine = await told(story.first.lower(), berg)
    assert "Yes, we sent you this" in mine
    assert rows_of(mine)[0].startswith("A message is waiting for you")
    assert "We sent you no e-mail like that" in await told("0" * 32, berg)


async def test_guessing_at_numbers_is_slowed_down(story: Story, anyone: Browser) -> None:
    story.house.clock.advance(61)
    answers = [await anyone.http.post("/genuine", data={"number": f"{one:032x}"}) for one in range(12)]
    assert [answer.status_code for answer in answers[-2:]] == [429, 429]
    assert "Too many tries" in answers[-1].text
    story.house.clock.advance(61)


async def test_the_page_on_genuine_mail_needs_no_session_and_says_what_we_never_do(anyone: Browser) -> None:
    page = (await anyone.see("/genuine")).text
    for said in ("Is this e-mail genuine?", "IRS Secure Messaging", "ask by e-mail for a password", "Look it up"):
        assert said in page
