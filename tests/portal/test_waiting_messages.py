"""A message of the office that waits to be released: the other side finds it by no way; employees choose how long."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.casework.releasing import release_due
from gateway.domain.confirmation import Wish
from gateway.store.outbox import OutboxState
from gateway.store.people import wishes_of
from gateway.store.tables import outbox
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import Rules, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
SENT = re.compile(r"/messages/(T-SM-[A-Z0-9]{4}-[A-Z0-9]{4})/sent\Z")
PATH = "/account/notices"


@pytest_asyncio.fixture(loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with open_house(rules=Rules(delay_minutes=10)) as house:
        yield await tell(house)


async def written(ines: Browser, story: Story) -> str:
    answer = await ines.write(
        f"/cases/{story.case}/write", "Hearing", "The hearing is moved.", [("a.txt", b"x", "text/plain")]
    )
    found = SENT.search(answer.headers["location"])
    assert found is not None
    return found[1]


async def seen_by(browser: Browser, story: Story, reference: str) -> list[str]:
    """Return the ways by which somebody finds a message."""
    own = [f"/messages/{reference}{path}" for path in ("", "/parts/1", "/parts/2", "/copy.eml", "/withdraw", "/write")]
    lists = ["/cases", f"/cases/{story.case}", f"/cases/{story.case}?before={story.first}"]
    found = [path for path in own if (await browser.see(path)).status_code == 200]
    return found + [path for path in lists if reference in (await browser.see(path)).text]


async def test_until_it_is_released_nobody_of_the_other_side_finds_it(
    story: Story, ines: Browser, berg: Browser
) -> None:
    before = (await berg.see("/cases")).text
    reference = await written(ines, story)
    assert await seen_by(berg, story, reference) == []
    async with Browser(story.house) as sena:
        await sena.sign_in(story.sena)
        assert await seen_by(sena, story, reference) == []
    assert re.sub(r'value="[^"]+"', "", (await berg.see("/cases")).text) == re.sub(r'value="[^"]+"', "", before)
    assert "sees nothing of this message before" in (await ines.see(f"/messages/{reference}")).text
    story.house.clock.advance(600)
    assert await seen_by(berg, story, reference) == []  # whatever the clock says: it is released by an act
    assert await story.house.database.run(release_due, story.house.authority) == 1
    assert f"/cases/{story.case}" in await seen_by(berg, story, reference)
    assert "The hearing is moved." in (await berg.see(f"/messages/{reference}")).text


async def test_withdrawn_at_the_desk_while_it_waits_it_was_never_there(
    story: Story, ines: Browser, berg: Browser
) -> None:
    reference = await written(ines, story)
    form = hidden((await ines.see(f"/messages/{reference}/withdraw")).text)
    assert (await ines.http.post(f"/messages/{reference}/withdraw", data=form)).status_code == 303
    story.house.clock.advance(660)
    assert await story.house.database.run(release_due, story.house.authority) == 0
    assert await seen_by(berg, story, reference) == []
    told = select(outbox.c.state).where(outbox.c.fields.contains(reference))
    states = set(story.house.database.read_now(lambda c: c.execute(told).scalars().all()))
    assert states <= {OutboxState.WITHHELD.value}


async def test_an_employee_chooses_which_messages_are_confirmed_and_how_long_they_wait(
    story: Story, ines: Browser
) -> None:
    page = (await ines.see(PATH)).text
    assert '<option value="first" selected>' in page
    form = {**hidden(page), "language": "en", "link": "yes", "time_zone": "", "confirm": "daily", "delay": "3"}
    assert (await ines.http.post(PATH, data=form)).status_code == 303
    kept = await story.house.database.read(wishes_of, story.ines.id)
    assert (kept.confirm, kept.delay_minutes) == (Wish.DAILY, 3)
    more = {**hidden((await ines.see(PATH)).text), **{key: form[key] for key in form if key != "form_token"}}
    assert (await ines.http.post(PATH, data={**more, "delay": "999"})).status_code == 303
    assert (await story.house.database.read(wishes_of, story.ines.id)).delay_minutes == 10
    for wrong in ({"confirm": "always"}, {"delay": "-5"}, {"delay": "soon"}):
        assert (await ines.http.post(PATH, data={**more, **wrong})).status_code == 400


async def test_the_other_side_has_no_such_choice(story: Story, berg: Browser) -> None:
    page = (await berg.see(PATH)).text
    assert 'name="confirm"' not in page
    form = {**hidden(page), "language": "en", "link": "yes", "time_zone": "", "confirm": "each", "delay": "3"}
    assert (await berg.http.post(PATH, data=form)).status_code == 303
    kept = await story.house.database.read(wishes_of, story.berg.id)
    assert (kept.confirm, kept.delay_minutes) == (Wish.FIRST, None)
