"""An employee withdraws a message: unread it is gone, read it leaves a line; for an open page too, at once."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.casework.automatic import Ending, end
from gateway.mime.automatic import AutomaticKind
from gateway.store import tables
from gateway.store.claims import claim
from gateway.store.outbox import OutboxState
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

GONE = "This message was withdrawn"


@pytest_asyncio.fixture(loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with open_house() as house:
        yield await tell(house)


async def withdraw(browser: Browser, reference: str) -> str:
    """Follow the message's own link, press the button, and return what the page said before."""
    message = (await browser.see(f"/messages/{reference}")).text
    link = re.search(rf'href="(/messages/{reference}/withdraw)"', message)
    assert link is not None
    page = (await browser.see(link[1])).text
    answer = await browser.http.post(link[1], data=hidden(page))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{reference}")
    assert "does not see this message any more" in (await browser.see(answer.headers["location"])).text
    return page


async def test_what_nobody_opened_is_gone_and_its_notices_with_it(story: Story, ines: Browser, berg: Browser) -> None:
    assert story.first in (await berg.see(f"/cases/{story.case}")).text
    page = await withdraw(ines, story.first)
    assert "Nobody of the other side has opened it" in page
    seen = await berg.see(f"/cases/{story.case}")
    assert seen.status_code == 200
    assert story.first not in seen.text
    for path in ("", "/parts/1", "/copy.eml", "/received.eml", "/withdraw"):
        assert (await berg.see(f"/messages/{story.first}{path}")).status_code in {403, 404}
    assert await states(story) == {OutboxState.WITHHELD.value}
    claimed = await story.house.database.run(claim, 300_000_000, 50)
    assert [entry for entry in claimed if entry.message_id] == []


async def test_what_was_opened_leaves_a_line_and_an_open_page_gives_no_more(
    story: Story, ines: Browser, berg: Browser
) -> None:
    open_page = await berg.see(f"/messages/{story.first}")
    part = re.search(rf'href="(/messages/{story.first}/parts/[^"]+)"', open_page.text)
    assert part is not None
    assert (await berg.see(part[1])).status_code == 200
    page = await withdraw(ines, story.first)
    assert "Berg Tobias" in page
    assert (await berg.see(part[1])).status_code in {403, 404}
    assert GONE in (await berg.see(f"/messages/{story.first}")).text
    listed = (await berg.see(f"/cases/{story.case}")).text
    assert "Withdrawn by the sender" in listed
    assert story.first in listed
    assert "Berg Tobias" in (await ines.see(f"/messages/{story.first}")).text  # who had opened it
    async with Browser(story.house) as otto:
        await otto.sign_in(story.otto)
        assert GONE not in (await otto.see(f"/messages/{story.first}")).text


async def test_a_recall_request_is_a_line_that_leads_to_withdrawing(story: Story, ines: Browser, berg: Browser) -> None:
    def automatic(kind: AutomaticKind) -> Ending:
        return Ending(kind, "mta", (story.case_id,), 1, story.ines.id)

    run = story.house.database.run
    for kind in (AutomaticKind.RECALL, AutomaticKind.OUT_OF_OFFICE, AutomaticKind.OUT_OF_OFFICE):
        await run(end, "relay", automatic(kind))
    page = (await ines.see(f"/cases/{story.case}")).text
    assert "A wish to recall a message of Ines" in " ".join(page.split())
    assert "2 times within an hour" in page
    links = re.findall(r'href="(/messages/[^"]+/withdraw)"', page)
    assert len(links) == 1
    await withdraw(ines, links[0].split("/")[2])
    page = (await ines.see(f"/cases/{story.case}")).text
    assert "/withdraw" not in page
    assert "open it and press" in page
    assert "Automatic mail" not in (await berg.see(f"/cases/{story.case}")).text


async def test_the_record_keeps_who_did_it_and_who_had_read_and_a_second_time_changes_nothing(
    story: Story, ines: Browser, berg: Browser
) -> None:
    await berg.see(f"/messages/{story.first}")
    form = hidden((await ines.see(f"/messages/{story.first}/withdraw")).text)
    for _ in range(2):
        assert (await ines.http.post(f"/messages/{story.first}/withdraw", data=form)).status_code == 303
    wanted = select(tables.leaf.c.body).where(tables.leaf.c.kind == "withdrawn")
    entries = [json.loads(one) for one in story.house.database.read_now(lambda rows: rows.execute(wanted).scalars())]
    assert [str(entry).count(story.ines.id) for entry in entries] == [1]
    assert story.berg.id in str(entries[0])
    assert story.sena.id not in str(entries[0])
    assert "It is withdrawn already" in (await ines.see(f"/messages/{story.first}/withdraw")).text


async def test_nobody_withdraws_what_is_not_theirs(story: Story, ines: Browser, berg: Browser) -> None:
    path = f"/messages/{story.first}/withdraw"
    form = hidden((await ines.see(path)).text)
    assert (await berg.http.post(path, data=form)).status_code in {403, 404}
    assert (await ines.http.post(path, data={"form_token": "x"})).status_code == 403
    stranger = await story.house.add_employee("Other Clerk")
    async with Browser(story.house) as other:
        await other.sign_in(stranger)
        token = hidden((await other.see("/account/app-passwords")).text)
        assert (await other.http.post(path, data=token)).status_code == 404
    answer = await berg.write(f"/messages/{story.first}", "Re: it", "An answer.")
    assert answer.status_code == 303
    of_berg = select(tables.message.c.reference).where(tables.message.c.side == "correspondent")
    theirs = story.house.database.read_now(lambda rows: rows.execute(of_berg).scalar())
    assert (await ines.see(f"/messages/{theirs}/withdraw")).status_code in {403, 404}
    assert (await ines.http.post(f"/messages/{theirs}/withdraw", data=form)).status_code in {403, 404}


async def test_words_written_meanwhile_are_sent_all_the_same(story: Story, ines: Browser, berg: Browser) -> None:
    page = (await berg.see(f"/messages/{story.first}")).text
    action = re.search(r'<form class="usa-form usa-form--large"[^>]* action="([^"]+)"', page)
    assert action is not None
    await withdraw(ines, story.first)
    answer = await berg.send(html.unescape(action[1]), {**hidden(page), "subject": "Re: it", "text": "My answer."})
    assert answer.status_code == 303
    assert "Re: it" in (await ines.see(f"/cases/{story.case}")).text
    unread = f"/cases/{story.case}/write?answers={story.other_case}"
    assert (await berg.see(unread)).status_code in {403, 404}


async def states(story: Story) -> set[int]:
    wanted = select(tables.outbox.c.state).join(tables.message, tables.message.c.id == tables.outbox.c.message_id)
    of_first = wanted.where(tables.message.c.reference == story.first)
    return set(story.house.database.read_now(lambda rows: list(rows.execute(of_first).scalars())))
