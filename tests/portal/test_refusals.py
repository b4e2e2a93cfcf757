"""The page that every refusal carries: plain words for everybody, and of a reference the time and the kinds alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.casework.turning_away import turn_away
from gateway.domain.refusal import new_reference
from gateway.domain.verdict import Finding, Kind, Strength, Unread, Unreadable, Verdict
from gateway.portal.tries import PER_ADDRESS
from tests.portal.browser import Browser
from tests.portal.house import House, open_house

SENDER_HASH = "0123456789abcdef"
VERDICT = Verdict(
    (Finding(Kind.SSN, "attachment 7", Strength.PROOF, 3), Finding(Kind.ITIN, "subject", Strength.STRONG)),
    (Unreadable("attachment 9", Unread.ENCRYPTED),),
)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def anyone(house: House) -> AsyncIterator[Browser]:
    house.clock.advance(60)  # what other tests have tried does not count
    async with Browser(house) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reference(house: House) -> str:
    made = new_reference()
    await house.database.run(turn_away, made, VERDICT, SENDER_HASH)
    return made


async def look_up(anyone: Browser, typed: str) -> tuple[int, str]:
    answer = await anyone.http.post("/refused", data={"reference": typed})
    assert not answer.cookies
    return answer.status_code, answer.text


async def test_it_explains_to_anybody_without_session_or_cookie(anyone: Browser) -> None:
    page = await anyone.see("/refused")
    assert page.status_code == 200
    assert not page.cookies
    for words in ("Why your e-mail was not accepted", "What to do now", "Look up a reference", "Telephone"):
        assert words in page.text


async def test_a_reference_shows_time_and_kinds_and_nothing_else(anyone: Browser, reference: str) -> None:
    status, page = await look_up(anyone, reference.lower().replace("-", " "))
    assert status == 200
    told = re.sub(r"<[^>]+>|\s+", " ", page.partition("usa-alert--info")[2].partition("usa-intro")[0])
    assert reference in told
    assert re.search(r'<time datetime="20\d\d-', page)
    assert told.count("a U.S. taxpayer number") == 1
    assert "password-protected or encrypted" in told
    for more in ("attachment", "subject", SENDER_HASH, "3", "7", "9", "outside"):
        assert more not in re.sub(rf"{reference}|\d+:\d\d|\w+ \d+, \d{{4}}", "", told)


async def test_every_other_reference_has_one_answer(anyone: Browser, house: House, reference: str) -> None:
    other = await house.database.run(lambda tx: tx.record("something_else", "somebody", reference="R-3333-3333"))
    answers = {
        await look_up(anyone, typed)
        for typed in (
            "R-3333-3333",
            "",
            "nonsense",
            other,
            "R-4F7K-3M9",
            "x" * 5000,
            f"{reference[:-1]}\N{SNOWMAN}",
        )
    }
    assert len(answers) == 1
    ((status, page),) = answers
    assert status == 422
    assert "We know nothing under this reference" in page


async def test_only_so_many_can_be_tried(anyone: Browser, house: House, reference: str) -> None:
    answers = [await look_up(anyone, "R-3333-3333") for _ in range(PER_ADDRESS)]
    assert {status for status, _ in answers} == {422}
    status, page = await look_up(anyone, reference)
    assert status == 429
    assert "Too many tries" in page
    assert "U.S. taxpayer" not in page
    house.clock.advance(60)
    assert (await look_up(anyone, reference))[0] == 200


async def test_another_sites_form_is_refused(anyone: Browser, reference: str) -> None:
    answer = await anyone.http.post("/refused", data={"reference": reference}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


async def test_it_explains_also_while_the_store_is_away() -> None:
    async with open_house() as house, Browser(house) as browser:
        await asyncio.to_thread(house.database.close)
        assert (await browser.see("/refused")).status_code == 200
