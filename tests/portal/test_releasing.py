"""An author says yes on the page of a message that the wrong client guard holds; nobody else can."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update

from gateway.store import tables
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with open_house() as house:
        made = await tell(house)
        await hold(made, "answer")
        yield made


async def hold(story: Story, guard: str, author: str | None = "") -> None:
    """Leave the first message as the guard does that has found a number of another case; `author` of it, if given."""
    held = {"guard": guard, "held_until_us": 1} | ({} if author == "" else {"author_id": author})
    one = tables.message.c.reference == story.first
    await story.house.database.run(lambda tx: tx.execute(update(tables.message).where(one).values(held)))
    row = await story.house.database.read(lambda c: c.execute(select(tables.message).where(one)).one())
    wait = {"message_id": row.id, "other_case_id": row.case_id, "since_us": row.received_us, "reminded": 0}
    known = select(tables.guard_wait).where(tables.guard_wait.c.message_id == row.id)
    if await story.house.database.read(lambda c: c.execute(known).first()) is None:
        await story.house.database.run(lambda tx: tx.execute(insert(tables.guard_wait).values(wait)))


async def test_the_author_releases_it_by_its_page_and_the_other_side_sees_none_of_it(
    story: Story, ines: Browser, berg: Browser
) -> None:
    assert (await berg.see(f"/messages/{story.first}")).status_code == 404
    assert "before its author says yes" in (await ines.see(f"/messages/{story.first}")).text
    page = (await ines.see(f"/messages/{story.first}/release")).text
    assert f"belongs to {story.case}, not to this case" in page
    for _ in range(2):
        answer = await ines.http.post(f"/messages/{story.first}/release", data=hidden(page))
        assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{story.first}")
    assert "It waits for nobody" in (await ines.see(f"/messages/{story.first}/release")).text
    assert (await berg.see(f"/messages/{story.first}/release")).status_code in {403, 404}


async def test_a_colleague_may_withdraw_and_not_release(story: Story, ines: Browser) -> None:
    page = (await ines.see(f"/messages/{story.first}/release")).text
    await hold(story, "answer", author=next(iter(await others(story))))
    seen = (await ines.see(f"/messages/{story.first}/release")).text
    assert "Only its author can say yes" in seen
    answer = await ines.http.post(f"/messages/{story.first}/release", data=hidden(page))
    assert answer.status_code in {403, 404}
    assert "before its author says yes" in (await ines.see(f"/messages/{story.first}")).text


async def test_the_successor_of_an_author_who_has_left_releases_it(story: Story, ines: Browser) -> None:
    house, page = story.house, f"/messages/{story.first}/release"
    nora = await house.add_employee("Nora Lind")
    colleague = await house.add_employee("Olaf Roth")
    await house.operator.enact("assign", case=story.case_id, person=colleague.id)
    author = await house.add_employee("Alma Berg")
    await hold(story, "answer", author=author.id)
    assert "Only its author can say yes" in (await ines.see(page)).text
    await house.operator.enact("assign", case=story.case_id, person=author.id)
    await house.operator.enact("leave", person=author.id, successor=nora.id)
    async with Browser(house) as other, Browser(house) as heir:
        await other.sign_in(colleague)
        assert "Only its author can say yes" in (await other.see(page)).text
        await heir.sign_in(nora)
        seen = (await heir.see(page)).text
        assert "Yes, release this message" in seen
        assert (await heir.http.post(page, data=hidden(seen))).status_code == 303
        assert "It waits for nobody" in (await heir.see(page)).text


async def others(story: Story) -> list[str]:
    first = select(tables.message.c.author_id).where(tables.message.c.reference == story.first)
    wanted = select(tables.person.c.id).where(tables.person.c.id.not_in(first))
    return await story.house.database.read(lambda c: list(c.execute(wanted).scalars()))
