"""Signing in at a real certified OpenID provider, and every way in which what comes back from it may be wrong."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.authenticator import openid
from gateway.domain.assurance import Assurance
from gateway.identity.providers import Provider
from gateway.portal.site import Way
from gateway.store import tables
from tests.openid_provider import AAL2, FACIAL, IAL2, AtProvider, TestProvider, query_of, running_provider
from tests.portal.browser import Browser, hidden
from tests.portal.house import House, Someone, make_certificate, open_house

KEYS = ("facial", "basic", "post", "away")
SECRET = b"a secret of the client: with signs & spaces"
WORDS = {
    "signed-in": "You are signed in",
    "unknown": "We do not know this account yet",
    "no-address": "We need your e-mail address",
    "review": "We are looking at your account",
    "weak": "One more step there is needed",
    "declined": "You have not signed in",
    "failed": "The sign-in could not be confirmed",
    "code-over": "The code is not valid any more",
    "away": "The sign-in could not be finished",
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Scene:
    house: House
    provider: TestProvider
    case_id: str
    number: int = 0

    async def someone(self) -> Someone:
        """A designated user with a case, whom the provider knows by the same address."""
        self.number += 1
        person = await self.house.add_user(f"user{self.number} Person", [self.case_id])
        await self.as_account(f"account-{self.number}", person.address)
        return person

    async def as_account(self, account: str, address: str, acr: str = FACIAL, **claims: Any) -> None:
        told = {"email": address, "email_verified": True, "aal": AAL2, **claims}
        await self.provider.set(
            account=account, acr=acr, claims=told, decline=False, away=False, idToken="", userinfo=None
        )

    async def first_code(self, person: Someone, hours: float = 24) -> str:
        made = await self.house.authenticator_operator.make_first_code()
        expires = int((self.house.clock().timestamp() + hours * 3600) * 1_000_000)
        await self.house.operator.enact(
            "add_credential", person=person.id, kind="first_code", label="code", lookup=made.lookup, expires_us=expires
        )
        return made.clear


@dataclass
class Visit:
    """One person's browser, at the portal and at the provider."""

    scene: Scene
    portal: Browser
    provider: AtProvider

    async def begin(self, key: str = "facial", code: str = "") -> httpx2.Response:
        page = await self.portal.see("/first-sign-in" if code else "/sign-in")
        fields = hidden(page.text)
        if code:
            return await self.portal.http.post("/first-sign-in", data={**fields, "first_code": code, "provider": key})
        return await self.portal.http.post(f"/sign-in/at/{key}", data=fields)

    async def back(self, begun: httpx2.Response) -> str:
        """Follow a page that goes on to the provider until the provider sends the browser back."""
        assert begun.status_code == 200, begun.text
        address = address_in(begun)
        return await self.provider.go(address, self.scene.house.url)

    async def sign_in(self, key: str = "facial", code: str = "") -> httpx2.Response:
        return await self.portal.see(await self.back(await self.begin(key, code)))

    async def is_in(self) -> bool:
        return (await self.portal.see("/cases")).status_code == 200


def address_in(page: httpx2.Response) -> str:
    return str(page.text.split('content="0; url=')[1].split('"')[0]).replace("&amp;", "&")


def outcome(page: httpx2.Response) -> str:
    return next((kind for kind, words in WORDS.items() if f"<h1>{words}</h1>" in page.text), page.text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("provider")
    certificate = make_certificate(folder)
    async with running_provider(folder, certificate, folder / "tls.key") as provider:

        def ways(portal: str) -> list[Provider]:
            key = provider.client_key
            generic = {"levels": {IAL2: Assurance(2, 2)}, "acr_values": (IAL2,)}
            return [
                provider.way("facial", portal, "login.gov", "private_key_jwt", key),
                provider.way("basic", portal, "generic", "client_secret_basic", SECRET, **generic),
                provider.way("post", portal, "id.me", "client_secret_post", SECRET, acr_values=(IAL2,)),
                provider.way("away", portal, "generic", "client_secret_basic", SECRET, issuer="https://localhost:9"),
            ]

        async with open_house(providers=ways, ways=tuple(Way(key, f"The {key} provider") for key in KEYS)) as house:
            secret = SECRET.decode()
            jwks = {"keys": [provider.client_jwk]}
            clients = [
                provider.client("facial", house.url, token_endpoint_auth_method="private_key_jwt", jwks=jwks),
                provider.client(
                    "basic", house.url, token_endpoint_auth_method="client_secret_basic", client_secret=secret
                ),
                provider.client(
                    "post",
                    house.url,
                    token_endpoint_auth_method="client_secret_post",
                    client_secret=secret,
                    userinfo_signed_response_alg="RS256",
                ),
            ]
            await provider.set(
                build=True, clients=clients, acrValues=[FACIAL, IAL2, AAL2, "urn:acr.login.gov:auth-only"]
            )
            ines = await house.add_employee("Ines Adler")
            case_id, _ = await house.open_case(ines)
            yield Scene(house, provider, case_id)


@contextlib.asynccontextmanager
async def visiting(scene: Scene) -> AsyncIterator[Visit]:
    async with Browser(scene.house) as browser:
        at_provider = AtProvider(scene.provider)
        try:
            yield Visit(scene, browser, at_provider)
        finally:
            await at_provider.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(scene: Scene) -> AsyncIterator[Visit]:
    async with visiting(scene) as one:
        yield one


# ---- the way in


@pytest.mark.parametrize("key", ["facial", "basic", "post"])
async def test_a_person_with_a_code_signs_in_and_is_known_from_then_on(scene: Scene, visit: Visit, key: str) -> None:
    person = await scene.someone()
    await scene.as_account(f"account-{scene.number}", person.address, FACIAL if key == "facial" else IAL2)
    code = await scene.first_code(person)
    page = await visit.sign_in(key, code)
    assert outcome(page) == "signed-in"
    assert 'content="0; url=/cases"' in page.text
    assert await visit.is_in()
    async with visiting(scene) as later:
        assert outcome(await later.sign_in(key)) == "signed-in"
        assert person.name in (await later.portal.see("/cases")).text
    async with visiting(scene) as again:
        refused = await again.begin(key, code)
        assert refused.status_code == 422
        assert "This code is not valid" in refused.text


async def test_an_account_that_nobody_linked_is_told_so_and_signs_nobody_in(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await scene.as_account("a-stranger", person.address)
    assert outcome(await visit.sign_in()) == "unknown"
    assert not await visit.is_in()


async def test_a_weaker_sign_in_is_refused_with_a_way_forward(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    code = await scene.first_code(person)
    await scene.as_account(f"account-{scene.number}", person.address, "urn:acr.login.gov:auth-only")
    page = await visit.sign_in(code=code)
    assert outcome(page) == "weak"
    assert "it is still good" in page.text
    await scene.as_account(f"account-{scene.number}", person.address)
    async with visiting(scene) as again:
        assert outcome(await again.sign_in(code=code)) == "signed-in"
    await scene.as_account(f"account-{scene.number}", person.address, "urn:acr.login.gov:verified")
    async with visiting(scene) as weaker:
        assert outcome(await weaker.sign_in()) == "weak"
        assert not await weaker.is_in()


async def test_another_address_waits_for_a_decision_and_the_person_is_told_what_happens_next(
    scene: Scene, visit: Visit
) -> None:
    person = await scene.someone()
    await scene.as_account(f"account-{scene.number}", "private@elsewhere.example")
    page = await visit.sign_in(code=await scene.first_code(person))
    assert outcome(page) == "review"
    assert "What happens next" in page.text
    assert not await visit.is_in()
    review = await waiting(scene, person)
    async with visiting(scene) as impatient:
        assert outcome(await impatient.sign_in()) == "review"
    await scene.house.operator.decide_identity(review, accept=True)
    async with visiting(scene) as later:
        assert outcome(await later.sign_in()) == "signed-in"
        assert await later.is_in()


async def test_a_link_that_is_refused_gives_nothing(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await scene.as_account(f"account-{scene.number}", "someone@elsewhere.example")
    await visit.sign_in(code=await scene.first_code(person))
    await scene.house.operator.decide_identity(await waiting(scene, person), accept=False)
    assert outcome(await visit.sign_in()) == "unknown"


async def test_a_waiting_link_that_somebody_changed_in_the_database_is_not_made(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await scene.as_account(f"account-{scene.number}", "other@elsewhere.example")
    await visit.sign_in(code=await scene.first_code(person))
    review, table = await waiting(scene, person), tables.identity_review
    row = await scene.house.database.read(
        lambda connection: connection.execute(select(table).where(table.c.id == review)).one()
    )
    forged = row.binding.replace(row.lookup, "0" * 64)
    await scene.house.database.run(lambda tx: tx.execute(table.update().values(binding=forged)))
    with pytest.raises(Exception, match="Please begin again"):
        await scene.house.operator.decide_identity(review, accept=True)


async def test_no_shared_address_says_to_share_it(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    code = await scene.first_code(person)
    await scene.as_account(f"account-{scene.number}", person.address, email_verified=False)
    assert outcome(await visit.sign_in(code=code)) == "no-address"


async def test_who_goes_back_at_the_provider_has_not_signed_in(scene: Scene, visit: Visit) -> None:
    await scene.someone()
    await scene.provider.set(decline=True)
    assert outcome(await visit.sign_in()) == "declined"


async def test_with_a_provider_down_the_other_ways_stay_open(scene: Scene, visit: Visit) -> None:
    page = await visit.begin("away")
    assert page.status_code == 503
    assert "does not answer at the moment" in page.text
    assert "Password" in page.text
    person = await scene.someone()
    begun = await visit.begin(code=await new_code(scene, person))
    back = await visit.back(begun)
    await scene.provider.set(away=True)
    assert outcome(await visit.portal.see(back)) == "away"
    await scene.provider.set(away=False)


# ---- what is wrong


async def test_an_answer_is_good_once_and_in_its_own_browser(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    begun = await visit.begin(code=await new_code(scene, person))
    back = await visit.back(begun)
    async with visiting(scene) as thief:
        assert outcome(await thief.portal.see(back)) == "failed"
        assert outcome(await thief.portal.see(back.replace("code=", "code=x"))) == "failed"
    cookies = dict(visit.portal.http.cookies)
    assert outcome(await visit.portal.see(back)) == "signed-in"
    visit.portal.http.cookies = cookies
    assert outcome(await visit.portal.see(back)) == "failed"


async def test_the_provider_refuses_a_code_again_and_so_do_we(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    back = await visit.back(await visit.begin(code=await new_code(scene, person)))
    spent = query_of(back)["code"]
    assert outcome(await visit.portal.see(back)) == "signed-in"
    async with visiting(scene) as again:
        other = query_of(await again.back(await again.begin()))
        page = await again.portal.see(
            f"/sign-in/at/facial/return?code={spent}&state={other['state']}&iss={scene.provider.issuer}"
        )
        assert outcome(page) == "failed"


async def test_an_attempt_is_too_old_after_ten_minutes(scene: Scene, visit: Visit) -> None:
    await scene.someone()
    back = await visit.back(await visit.begin())
    scene.house.clock.advance(601)
    try:
        assert outcome(await visit.portal.see(back)) == "failed"
    finally:
        scene.house.clock.advance(-601)


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "another"), ("iss", "https://evil.example"), ("iss", ""), ("code", "another"), ("code", "")],
)
async def test_a_changed_answer_is_refused(scene: Scene, visit: Visit, name: str, value: str) -> None:
    person = await scene.someone()
    back = await visit.back(await visit.begin(code=await new_code(scene, person)))
    page = await visit.portal.http.get("/sign-in/at/facial/return", params={**query_of(back), name: value})
    assert outcome(page) == "failed"
    assert not await visit.is_in()


async def test_an_answer_to_one_provider_is_none_to_another(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    back = await visit.back(await visit.begin("basic", await new_code(scene, person)))
    await visit.begin("post")
    page = await visit.portal.http.get("/sign-in/at/post/return", params=query_of(back))
    assert outcome(page) == "failed"


async def test_another_sites_form_begins_no_sign_in(scene: Scene, visit: Visit) -> None:
    await visit.portal.see("/sign-in")
    assert (await visit.portal.http.post("/sign-in/at/facial", data={"form_token": "guessed"})).status_code == 403
    page = await visit.portal.http.post(
        "/sign-in/at/facial", data={}, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    )
    assert page.status_code == 403


async def test_a_session_from_before_is_not_the_one_after(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    planted = "A" * 43
    visit.portal.http.cookies.set("__Host-session", planted, domain="localhost")
    assert outcome(await visit.sign_in(code=await new_code(scene, person))) == "signed-in"
    values = [cookie.value for cookie in visit.portal.http.cookies.jar if cookie.name == "__Host-session"]
    assert planted not in values[-1:]


FORGED: dict[str, dict[str, Any]] = {
    "forged signature": {"by": "stranger"},
    "forged signature under another key id": {"by": "stranger", "header": {"kid": "stranger"}},
    "alg none": {"by": "nobody", "header": {"alg": "none"}},
    "alg none in other letters": {"by": "nobody", "header": {"alg": "nOnE"}},
    "HS256 by the public key": {"by": "secret", "header": {"alg": "HS256"}, "secret": "public"},
    "HS256 by the client's secret": {"by": "secret", "header": {"alg": "HS256"}, "secret": SECRET.decode()},
    "a key in the token": {"by": "stranger", "header": {"jku": "https://evil.example/keys", "jwk": {"kty": "RSA"}}},
    "critical extension": {"header": {"crit": ["exp"]}},
    "a security event": {"header": {"typ": "secevent+jwt"}},
    "wrong audience": {"claims": {"aud": "client-basic"}},
    "several audiences without azp": {"claims": {"aud": ["client-facial", "another"]}},
    "another azp": {"claims": {"azp": "another"}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "wrong nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "late": {"claims": {"exp": -120}},
    "old": {"claims": {"iat": -3600}},
    "from the future": {"claims": {"iat": 3600}},
    "not valid yet": {"claims": {"nbf": 3600}},
    "no subject": {"claims": {"sub": ""}},
    "a subject that is a list": {"claims": {"sub": ["account"]}},
    "an expiry in words": {"claims": {"exp": "tomorrow"}},
    "a logout token": {"claims": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}},
}


@pytest.mark.parametrize("kind", ["good", *FORGED])
async def test_a_forged_id_token_is_refused(scene: Scene, visit: Visit, kind: str) -> None:
    person = await scene.someone()
    begun = await visit.begin(code=await new_code(scene, person))
    back = await visit.back(begun)
    forging = FORGED.get(kind, {})
    claims = {**id_claims(scene, query_of(address_in(begun))["nonce"]), **moved(forging.get("claims", {}))}
    more = {name: value for name, value in forging.items() if name != "claims"}
    if more.get("secret") == "public":
        more["secret"] = str((await scene.provider.do("keys"))["keys"][0]["n"])
    token = await scene.provider.forge({k: v for k, v in claims.items() if v is not None}, **more)
    await scene.provider.set(
        idToken=token, userinfo={"sub": claims["sub"], "email": person.address, "email_verified": True}
    )
    assert outcome(await visit.portal.see(back)) == ("signed-in" if kind == "good" else "failed")
    assert await visit.is_in() == (kind == "good")


async def test_userinfo_about_somebody_else_is_refused(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    back = await visit.back(await visit.begin(code=await new_code(scene, person)))
    await scene.provider.set(userinfo={"sub": "somebody else", "email": person.address, "email_verified": True})
    assert outcome(await visit.portal.see(back)) == "failed"


async def test_an_id_token_replayed_to_a_later_sign_in_is_refused(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    begun = await visit.begin(code=await new_code(scene, person))
    back = await visit.back(begun)
    token = await scene.provider.forge(id_claims(scene, query_of(address_in(begun))["nonce"]))
    told = {"sub": f"account-{scene.number}", "email": person.address, "email_verified": True}
    await scene.provider.set(idToken=token, userinfo=told)
    assert outcome(await visit.portal.see(back)) == "signed-in"
    async with visiting(scene) as later:
        await scene.provider.set(idToken="")
        later_back = await later.back(await later.begin())
        await scene.provider.set(idToken=token)
        assert outcome(await later.portal.see(later_back)) == "failed"


# ---- keys that change, sign-ins that end


async def test_signing_out_here_leads_to_signing_out_there(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.sign_in("basic", await new_code(scene, person, IAL2))
    page = await visit.portal.see("/cases")
    gone = await visit.portal.http.post("/sign-out", data=hidden(page.text))
    assert gone.headers["location"] == "/signed-out?at=basic"
    told = await visit.portal.see("/signed-out?at=basic")
    assert "/sign-in/at/basic/leave" in told.text
    leaving = await visit.portal.see("/sign-in/at/basic/leave")
    there = await visit.provider.press(leaving.headers["location"])
    assert there.startswith(f"{scene.house.url}/signed-out?")


async def test_a_sign_out_at_the_provider_ends_the_session_here(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.sign_in("basic", await new_code(scene, person, IAL2))
    assert await visit.is_in()
    leaving = await visit.portal.see("/sign-in/at/basic/leave")
    await visit.provider.press(leaving.headers["location"])
    assert not await visit.is_in()


@pytest.mark.parametrize("kind", ["good", "nonce", "no event", "forged", "old", "an ID token", "another audience"])
async def test_a_logout_token_is_judged(scene: Scene, visit: Visit, kind: str) -> None:
    person = await scene.someone()
    assert outcome(await visit.sign_in(code=await new_code(scene, person))) == "signed-in"
    claims = {
        "iss": scene.provider.issuer,
        "aud": "client-facial",
        "iat": int(scene.house.clock().timestamp()) + 1,
        "jti": f"logout-{scene.number}",
        "sub": f"account-{scene.number}",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    changed: dict[str, Any] = {
        "nonce": {"nonce": "x"},
        "no event": {"events": {}},
        "old": {"iat": int(time.time()) - 3600},
        "an ID token": {"events": None},
        "another audience": {"aud": "client-basic"},
    }
    claims.update(changed.get(kind, {}))
    by = "stranger" if kind == "forged" else "own"
    token = await scene.provider.forge({k: v for k, v in claims.items() if v is not None}, by=by)
    answer = await visit.portal.http.post("/sign-in/at/facial/logout", data={"logout_token": token})
    assert answer.status_code == (200 if kind == "good" else 400)
    assert await visit.is_in() == (kind != "good")


RISC = "https://schemas.openid.net/secevent/risc/event-type/"


@pytest.mark.parametrize("spelling", ["iss_sub", "iss-sub", "top"])
async def test_a_security_event_ends_the_sessions_of_its_account_and_nobody_elses(
    scene: Scene, visit: Visit, spelling: str
) -> None:
    person = await scene.someone()
    assert outcome(await visit.sign_in(code=await new_code(scene, person))) == "signed-in"
    mine = f"account-{scene.number}"
    async with visiting(scene) as other:
        neighbour = await scene.someone()
        assert outcome(await other.sign_in(code=await new_code(scene, neighbour))) == "signed-in"
        token = await scene.provider.forge(event(scene, "account-disabled", mine, spelling), header=SET)
        assert (await push(visit, token)).status_code == 202
        assert not await visit.is_in()
        assert await other.is_in()
    await scene.as_account(mine, person.address)
    scene.house.clock.advance(2)
    async with visiting(scene) as later:
        assert outcome(await later.sign_in()) == "signed-in"
        assert (await push(visit, token)).status_code == 202
        assert await later.is_in(), "an event of before ends nothing that began after it"


@pytest.mark.parametrize("kind", ["account-disabled", "account-purged"])
async def test_a_security_event_ends_sessions_however_many_began_there(
    scene: Scene, visit: Visit, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "MAX_STATED", 1)
    person = await scene.someone()
    assert outcome(await visit.sign_in(code=await new_code(scene, person))) == "signed-in"
    async with visiting(scene) as second, visiting(scene) as third:
        assert outcome(await second.sign_in()) == "signed-in"
        assert outcome(await third.sign_in()) == "signed-in"
        token = await scene.provider.forge(event(scene, kind, f"account-{scene.number}"), header=SET)
        assert (await push(visit, token)).status_code == 202
        assert not any([await one.is_in() for one in (visit, second, third)])
    assert outcome(await visit.sign_in()) == ("unknown" if kind == "account-purged" else "signed-in")


async def test_an_account_that_is_gone_at_the_provider_is_linked_no_more(scene: Scene, visit: Visit) -> None:
    person = await scene.someone()
    await visit.sign_in(code=await new_code(scene, person))
    token = await scene.provider.forge(event(scene, "account-purged", f"account-{scene.number}"), header=SET)
    assert (await push(visit, token)).status_code == 202
    assert not await visit.is_in()
    assert outcome(await visit.sign_in()) == "unknown"


@pytest.mark.parametrize("kind", ["forged", "audience", "issuer", "type", "future", "garbage"])
async def test_a_security_event_that_is_not_good_ends_nothing(scene: Scene, visit: Visit, kind: str) -> None:
    person = await scene.someone()
    await visit.sign_in(code=await new_code(scene, person))
    claims = event(scene, "account-disabled", f"account-{scene.number}")
    changed = {
        "audience": {"aud": "another"},
        "issuer": {"iss": "https://evil.example"},
        "future": {"iat": int(time.time()) + 3600},
    }
    claims.update(changed.get(kind, {}))
    header = {} if kind == "type" else SET
    token = await scene.provider.forge(claims, header=header, by="stranger" if kind == "forged" else "own")
    answer = await push(visit, "garbage" if kind == "garbage" else token)
    assert answer.status_code == 400
    assert answer.json()["err"] == "invalid_request"
    assert await visit.is_in()


async def test_an_employee_signs_in_by_the_same_way(scene: Scene, visit: Visit) -> None:
    dana = await scene.house.add_employee("Dana Office")
    await scene.as_account("dana", dana.address)
    assert outcome(await visit.sign_in(code=await scene.first_code(dana))) == "signed-in"
    assert "App passwords" in (await visit.portal.see("/cases")).text


async def test_new_keys_of_the_provider_are_fetched_and_not_more_often_than_once_a_minute(
    scene: Scene, visit: Visit
) -> None:
    person = await scene.someone()
    assert outcome(await visit.sign_in(code=await new_code(scene, person))) == "signed-in"
    party = party_of(scene)
    party._documents.pop("keys")
    async with visiting(scene) as before:
        assert outcome(await before.sign_in()) == "signed-in"
    await scene.provider.do("rotate")
    async with visiting(scene) as early:
        assert outcome(await early.sign_in()) == "failed"
    fetched, document = party._documents["keys"]
    party._documents["keys"] = (fetched - 61, document)
    async with visiting(scene) as later:
        assert outcome(await later.sign_in()) == "signed-in"


async def test_who_guesses_codes_is_slowed_down(scene: Scene, visit: Visit) -> None:
    with scene.house.clock.standing():
        for _ in range(3):
            assert (await visit.begin(code="AAAAA-AAAAA")).status_code == 422
        assert (await visit.begin(code="AAAAA-AAAAA")).status_code == 429


SET = {"typ": "secevent+jwt"}


def event(scene: Scene, kind: str, account: str, spelling: str = "iss_sub") -> dict[str, Any]:
    subject = {"iss": scene.provider.issuer, "sub": account}
    named = {"subject_type": "iss-sub"} if spelling == "iss-sub" else {"format": "iss_sub"}
    inside = {} if spelling == "top" else {"subject": {**named, **subject}}
    return {
        "iss": scene.provider.issuer,
        "aud": "client-facial",
        "iat": int(scene.house.clock().timestamp()),
        "jti": f"event-{account}",
        "events": {f"{RISC}{kind}": inside},
        **({"sub_id": {**named, **subject}} if spelling == "top" else {}),
    }


async def push(visit: Visit, token: str) -> httpx2.Response:
    return await visit.portal.http.post(
        "/sign-in/at/facial/events", content=token, headers={"content-type": "application/secevent+jwt"}
    )


def id_claims(scene: Scene, nonce: str) -> dict[str, Any]:
    now = int(time.time())
    issued = {"iss": scene.provider.issuer, "aud": "client-facial", "iat": now, "exp": now + 300, "nonce": nonce}
    return {**issued, "sub": f"account-{scene.number}", "acr": FACIAL, "aal": AAL2}


def moved(claims: dict[str, Any]) -> dict[str, Any]:
    """Times of a forged token stand as seconds from now."""
    now = int(time.time())
    return {k: now + v if k in {"exp", "iat", "nbf"} and isinstance(v, int) else v for k, v in claims.items()}


async def new_code(scene: Scene, person: Someone, acr: str = FACIAL) -> str:
    await scene.as_account(f"account-{scene.number}", person.address, acr)
    return await scene.first_code(person)


async def waiting(scene: Scene, person: Someone) -> str:
    table = tables.identity_review
    wanted = select(table.c.id).where(table.c.person_id == person.id, table.c.decided_us.is_(None))
    return str(await scene.house.database.read(lambda connection: connection.execute(wanted).scalar_one()))


def party_of(scene: Scene) -> Any:
    return scene.house.sign_in_server._openid._parties["facial"]
