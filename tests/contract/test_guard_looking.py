"""The wrong client guard, whole: real octets in the vault, a real keyholder, locked children, the guard's own body."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from gateway.casework.guard_answers import say_yes
from gateway.casework.releasing import release_due
from gateway.domain.errors import KeyholderUnavailable, Malformed, NotAllowed
from gateway.domain.notice import NoticeState
from gateway.frames import FrameClient
from gateway.screening.pool import Pool
from gateway.store import tables
from tests.guarding import OTHER, OWN, STRANGE, GuardedSite, letter, numbers_pool
from tests.keyed_site import KeyedSite

pytestmark = pytest.mark.asyncio(loop_scope="module")
SIGKILL = -9
STEPS = ("guard.looked", "guard.settled", "guard.open.entry", "guard.opened", "guard.settle", "store.commit.before@2")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    async with numbers_pool() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def office(tmp_path: Path, sqlite_with_tables: Path) -> AsyncIterator[GuardedSite]:
    (tmp_path / "gateway.db").write_bytes(sqlite_with_tables.read_bytes())
    async with KeyedSite(tmp_path, f"sqlite:///{tmp_path}/gateway.db").running() as site:
        made = GuardedSite(site, tmp_path)
        await made.settle()
        yield made


async def told(office: GuardedSite) -> list[tuple[str, str]]:
    wanted = select(tables.outbox.c.kind, tables.outbox.c.person_id).order_by(tables.outbox.c.id)
    rows = await office.site.database.read(lambda connection: connection.execute(wanted).all())
    names = {office.erin: "erin", office.cora: "cora"}
    return [(row.kind, names[row.person_id]) for row in rows if row.person_id in names and row.kind != "case_assigned"]


async def outcomes(office: GuardedSite) -> list[str]:
    return [json.loads(body)["facts"]["outcome"] for body in await office.site.leaves("guard-looked")]


async def release(office: GuardedSite) -> int:
    return await office.site.database.run(release_due, office.site.authority)


async def test_a_number_of_another_client_waits_for_the_authors_yes_which_releases_it_once(
    office: GuardedSite, pool: Pool
) -> None:
    message = await office.post(letter(f"Her number is {OTHER}."))
    assert await release(office) == 0
    assert await office.guard(pool).look_at_all()
    assert (await office.state(message), await told(office)) == ("answer", [("guard_waits", "erin")])
    assert await release(office) == 0
    run, key = office.site.database.run, office.site.authority
    assert await run(say_yes, key, office.erin, message) is NoticeState.GUARD_RELEASED
    assert await run(say_yes, key, office.erin, message) is NoticeState.GUARD_NOT_HELD
    assert [await release(office), await release(office)] == [1, 0]
    assert await told(office) == [("guard_waits", "erin"), ("message_waiting", "cora")]
    assert len(await office.site.leaves("guard-answered")) == 1
    (entry,) = await office.site.leaves("guard-looked")
    assert json.loads(entry)["facts"]["other_case"] == office.cases["other"]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (f"Your number is {OWN}.", "clear"),
        (f"Somebody's number is {STRANGE}: to erin it is no more than nine digits.", "clear"),
        (f"Your SSN {OWN} and hers, {OTHER}.", "another-case"),
        (f"no label at all {OTHER.replace('-', '')} here", "another-case"),
    ],
)
async def test_what_is_of_the_case_or_of_nobody_known_to_the_author_goes(
    office: GuardedSite, pool: Pool, text: str, outcome: str
) -> None:
    await office.post(letter(text))
    assert await office.guard(pool).look_at_all()
    assert await outcomes(office) == [outcome]
    assert await release(office) == (outcome == "clear")


async def test_an_attachment_is_read_and_what_cannot_be_is_entered_and_goes(office: GuardedSite, pool: Pool) -> None:
    inside = await office.post(letter("attached", ("list.csv", "text/csv", f"name,tin\nA,{OTHER}\n".encode())))
    locked = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R/Encrypt 2 0 R>>\n%%EOF\n"
    closed = await office.post(letter("attached", ("closed.pdf", "application/pdf", locked)))
    large = await office.post(letter("x" * 70_000))
    assert await office.guard(pool, largest=65_536).look_at_all()
    assert [await office.state(one) for one in (inside, closed, large)] == ["answer", None, None]
    assert sorted(await outcomes(office)) == ["another-case", "not-looked-at", "partly-read"]


async def test_four_hundred_numbers_and_readers_cost_one_look(office: GuardedSite, pool: Pool) -> None:
    rows = "".join(f"SSN {300 + number:03d}-45-{1000 + number}\n" for number in range(400))
    people = [(await office.site.correspondent(office.cases["case"], username=f"u{n}"))["person"] for n in range(12)]
    await office.post(letter(rows), to=tuple(people))
    assert await office.guard(pool).look_at_all()
    assert (await outcomes(office), await release(office)) == (["clear"], 1)


async def test_nothing_of_a_number_rests_in_clear_or_is_logged(
    office: GuardedSite, pool: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.post(letter(f"Her number is {OTHER}."))
    assert await office.guard(pool).look_at_all()
    spoken = "".join(capsys.readouterr())
    for form in (OTHER, OTHER.replace("-", "")):
        assert form not in spoken
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or form.encode() not in path.read_bytes(), path


async def test_the_keyholder_opens_what_waits_and_takes_what_its_own_key_was_sealed_to(
    office: GuardedSite, pool: Pool
) -> None:
    message = await office.post(letter("nothing"))
    grant = await office.site.guard.guard_open(message)
    other = await pool.find_numbers(letter(OTHER), "another message", grant.numbers)
    with pytest.raises(Malformed):
        await office.site.guard.guard_settle(message, other.numbers, partly=False)
    assert await office.state(message) == "look"
    assert await office.guard(pool).look_at_all()
    with pytest.raises(NotAllowed):
        await office.site.guard.guard_open(message)


async def test_the_guards_socket_alone_answers_it_and_answers_nothing_else(office: GuardedSite) -> None:
    message = await office.post(letter("nothing"))
    for socket, verb in (
        ("keyholder", "guard_open"),
        ("operator", "guard_open"),
        ("guard", "open"),
        ("guard", "enact"),
    ):
        client = FrameClient(office.site.folder / f"{socket}.sock", away=KeyholderUnavailable)
        with pytest.raises(Malformed, match="no such verb"):
            await client.ask(verb, message=message)
        await client.close()
    assert (await office.state(message), await office.site.leaves("guard-opened")) == ("look", [])


@pytest.mark.parametrize(
    "forged", [{"side": "correspondent"}, {"received_us": 1}, {"withdrawn_us": 1}, {"held_until_us": None}]
)
async def test_a_mark_that_somebody_forged_opens_nothing_and_is_not_asked_for_without_end(
    office: GuardedSite, pool: Pool, forged: dict[str, object]
) -> None:
    message = await office.post(letter("nothing"))
    change = update(tables.message).where(tables.message.c.id == message).values(forged)
    await office.site.database.run(lambda tx: tx.execute(change))
    with pytest.raises(NotAllowed):
        await office.site.guard.guard_open(message)
    async with asyncio.timeout(30):
        looked = await office.guard(pool).look_at_all()
    assert looked == ("withdrawn_us" in forged)  # what is withdrawn waits no more, the others wait on
    assert not await office.site.leaves("guard-opened")


async def test_what_waits_on_and_may_not_be_opened_hides_nothing_that_came_later(
    office: GuardedSite, pool: Pool
) -> None:
    stale = [await office.post(letter("nothing")) for _ in range(3)]
    old = update(tables.message).where(tables.message.c.id.in_(stale)).values(received_us=1)
    await office.site.database.run(lambda tx: tx.execute(old))
    new = await office.post(letter(f"Your number is {OWN}."))
    guard = office.guard(pool)
    guard.at_once = 2
    assert not await guard.look_at_all()
    assert [await office.state(one) for one in (*stale, new)] == ["look", "look", "look", None]


async def test_a_keyholder_that_is_away_leaves_the_message_waiting(office: GuardedSite, pool: Pool) -> None:
    message = await office.post(letter("nothing"))
    guard = office.guard(pool)
    guard.keyholder = type(office.site.guard)(office.site.folder / "nobody.sock")
    assert not await guard.look_at_all()
    assert (await office.state(message), await release(office)) == ("look", 0)


@pytest.mark.parametrize("step", [STEPS[0], *(pytest.param(one, marks=pytest.mark.sweep) for one in STEPS[1:])])
async def test_killed_anywhere_a_message_is_looked_at_and_released_once(
    tmp_path: Path, sqlite_with_tables: Path, step: str
) -> None:
    (tmp_path / "gateway.db").write_bytes(sqlite_with_tables.read_bytes())
    url = f"sqlite:///{tmp_path}/gateway.db"
    async with KeyedSite(tmp_path, url).running() as site:
        office = GuardedSite(site, tmp_path)
        await office.settle()
        waits = await office.post(letter(f"Her number is {OTHER}."))
        goes = await office.post(letter(f"Your number is {OWN}."))
    name, _, nth = step.partition("@")
    for failpoints, code in ((f"{name}=kill{'@' + nth if nth else ''}", SIGKILL), ("", 0)):
        command = (sys.executable, "-m", "tests.guarding", str(tmp_path), url)
        child = await asyncio.create_subprocess_exec(*command, env={**os.environ, "GATEWAY_FAILPOINTS": failpoints})
        assert await child.wait() == code
    async with KeyedSite(tmp_path, url).running() as again:
        office.site = again
        assert [await office.state(waits), await office.state(goes)] == ["answer", None]
        assert sorted(await outcomes(office)) == ["another-case", "clear"]
        assert [await release(office), await release(office)] == [1, 0]
        assert sorted(kind for kind, _ in await told(office)) == ["guard_waits", "message_waiting"]
