"""The linking ceremony at a real OpenID provider: both sign-ins fresh, the account and the link each one person's."""

from __future__ import annotations

import datetime as dt
import html
import json

import httpx2
import pytest
from sqlalchemy import select

from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated
from gateway.domain.proof import Linking
from gateway.frames import decode
from gateway.portal.security import SESSION_COOKIE, cookie_secret
from gateway.store import tables
from tests.openid_provider import FACIAL
from tests.peers.test_openid import Scene, Visit, outcome, scene, visit, visiting
from tests.portal.browser import hidden
from tests.portal.house import PASSWORD, Someone

__all__ = ["scene", "visit"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = "/account/sign-in/link"


@pytest.fixture(autouse=True)
def at_the_providers_time(scene: Scene) -> None:
    """The provider has a clock of its own: each test begins at it."""
    scene.house.clock.ahead = dt.timedelta()


def carried(page: httpx2.Response) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in hidden(page.text).items()}


async def begin(visit: Visit, key: str = "facial") -> httpx2.Response:
    page = await visit.portal.see(PAGE)
    return await visit.portal.http.post(f"{PAGE}/{key}", data={"form_token": hidden(page.text)["form_token"]})


async def come_back(visit: Visit, key: str = "facial") -> httpx2.Response:
    return await visit.portal.see(await visit.back(await begin(visit, key)))


async def finish(visit: Visit, page: httpx2.Response) -> httpx2.Response:
    return await visit.portal.http.post(PAGE, data=carried(page))


async def sign_in_again(visit: Visit, person: Someone) -> httpx2.Response:
    page = await visit.portal.see("/sign-in?again=link")
    assert "Please sign in once more" in page.text
    fields = {**hidden(page.text), "username": person.username, "code": visit.scene.house.code(person)}
    return await visit.portal.http.post("/sign-in", data={**fields, "password": PASSWORD})


async def links_of(scene: Scene, person: Someone) -> int:
    table = tables.credential
    wanted = select(table.c.id).where(table.c.person_id == person.id, table.c.kind == "identity")
    return len(await scene.house.database.read(lambda rows: rows.execute(wanted).all()))


async def notices_to(scene: Scene, person: Someone) -> list[str]:
    table = tables.outbox
    wanted = select(table.c.fields).where(table.c.person_id == person.id, table.c.kind == "account_changed")
    return [row[0] for row in await scene.house.database.read(lambda rows: rows.execute(wanted).all())]


async def test_who_proves_both_signs_in_by_the_account_from_then_on(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await scene.as_account(f"account-{scene.number}", "private@elsewhere.example")
    await visit.portal.sign_in(person)
    page = await come_back(visit)
    assert "One more step" in page.text
    assert await links_of(scene, person) == 0, "nothing is linked by coming back"
    done = await finish(visit, page)
    assert done.headers["location"] == f"{PAGE}?linked"
    assert "The account is linked" in (await visit.portal.see(f"{PAGE}?linked")).text
    assert await notices_to(scene, person) == ['{"state": "factor_added"}']
    async with visiting(scene) as later:
        assert outcome(await later.sign_in()) == "signed-in"
        assert person.name in (await later.portal.see("/cases")).text
    again = await come_back(visit)
    assert "This account is linked already" in again.text


async def test_an_old_sign_in_is_made_once_more_before(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.portal.sign_in(person)
    scene.house.clock.advance(601)
    answer = await begin(visit)
    assert answer.headers["location"] == "/sign-in?again=link"
    assert (await sign_in_again(visit, person)).headers["location"] == PAGE
    assert (await begin(visit)).status_code == 200


async def test_both_have_to_be_fresh_when_the_link_is_made(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.portal.sign_in(person)
    page = await come_back(visit)
    scene.house.clock.advance(601)
    late = await finish(visit, page)
    assert late.status_code == 422
    assert "That took too long" in late.text
    await sign_in_again(visit, person)
    assert (await finish(visit, page)).status_code == 422, "the account was proved too long ago"
    assert await links_of(scene, person) == 0


async def test_what_was_proved_for_one_person_links_nothing_to_another(scene: Scene, visit: Visit) -> None:
    person, other = await scene.someone(), await scene.someone()
    await visit.portal.sign_in(person)
    page = await come_back(visit)
    async with visiting(scene) as theirs:
        await theirs.portal.sign_in(other)
        assert (await finish(theirs, page)).status_code == 404
        token = cookie_secret(dict(theirs.portal.http.cookies), SESSION_COOKIE) or b""
        fields = carried(page)
        stated = Linking.from_json(json.loads(fields["linking"]))
        with pytest.raises(NotAllowed):
            await scene.house.keyholder.link(token, stated, decode(fields["signature"]))
        forged = Linking(stated.issued_us, stated.credential_id, other.id, stated.label, stated.lookup, stated.data)
        with pytest.raises(NotAuthenticated):
            await scene.house.keyholder.link(token, forged, decode(fields["signature"]))
    assert await links_of(scene, person) == await links_of(scene, other) == 0


async def test_a_link_is_made_once_and_an_account_is_one_persons(scene: Scene, visit: Visit) -> None:
    person, other = await scene.someone(), await scene.someone()
    await visit.portal.sign_in(person)
    page = await come_back(visit)
    assert (await finish(visit, page)).status_code == 303
    again = await finish(visit, page)
    assert again.status_code == 422
    assert "This account is linked already" in again.text
    async with visiting(scene) as theirs:
        await theirs.portal.sign_in(other)
        taken = await come_back(theirs)
        assert "so it cannot become yours" in taken.text
    assert await links_of(scene, person) == 1


async def test_a_weak_account_and_a_provider_that_is_away_link_nothing(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.portal.sign_in(person)
    await scene.as_account(f"account-{scene.number}", person.address, "urn:acr.login.gov:auth-only")
    assert outcome(await come_back(visit)) == "weak"
    away = await begin(visit, "away")
    assert away.status_code == 503
    assert "Nothing has changed" in away.text
    await scene.as_account(f"account-{scene.number}", person.address, FACIAL)
    assert await links_of(scene, person) == 0


async def test_an_attempt_of_one_browser_does_not_end_in_another(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.portal.sign_in(person)
    address = await visit.back(await begin(visit))
    async with visiting(scene) as other:
        assert outcome(await other.portal.see(address)) == "failed"
    assert await links_of(scene, person) == 0


async def test_the_operators_own_link_of_nothing_is_refused(scene: Scene) -> None:
    with pytest.raises(Malformed):
        await scene.house.operator.enact(
            "add_credential", person=(await scene.someone()).id, kind="identity", label="x", lookup="0" * 64
        )
