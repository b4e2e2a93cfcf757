from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request

from gateway.keyholder.client import KeyholderClient, SummaryGrant
from gateway.portal.security import SECURITY_HEADERS, with_script
from gateway.portal.vault import Vault
from gateway.portal.visitors import Visitors
from tests.corpus.odd_mail import MAILS, Parties
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import FIRST, LISTE, Story
from tests.portal.house import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")


def main_of(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


# ---- signing in


async def test_signing_in_lands_on_the_cases(berg: Browser, story: Story) -> None:
    page = await berg.see("/cases")
    assert page.status_code == 200
    assert story.case in page.text
    assert story.other_case not in page.text
    assert "Berg Tobias" in page.text


async def test_an_employee_without_a_case_is_sent_to_the_administrator_and_not_to_the_office(story: Story) -> None:
    nils = await story.house.add_employee("Nils Newcomer")
    async with Browser(story.house) as browser:
        await browser.sign_in(nils)
        page = (await browser.see("/cases")).text
    told = page.partition("No case is open to you now")[2].partition("</div>")[0]
    assert "An administrator gives cases to you" in told
    assert "telephone" not in told


async def test_every_wrong_sign_in_has_the_same_answer(anyone: Browser, story: Story) -> None:
    good = story.house.code(story.berg)
    wrong = [
        await anyone.try_sign_in("berg", "a wrong password 12", good),
        await anyone.try_sign_in("berg", PASSWORD, "000000"),
        await anyone.try_sign_in("berg", PASSWORD, ""),
    ]
    nobody = await anyone.try_sign_in("nobody", PASSWORD, good)
    assert {answer.status_code for answer in [*wrong, nobody]} == {422}
    whole = [main_of(answer.text).replace("nobody", "berg") for answer in [*wrong, nobody]]
    assert len({len(page) for page in whole}) == 1
    pages = {_drawn_anew(page) for page in whole}
    assert len(pages) == 1
    assert "You cannot sign in?" in pages.pop()
    assert not [answer for answer in [*wrong, nobody] if "__Host-session" in str(answer.headers.get_list("set-cookie"))]


def _drawn_anew(page: str) -> str:
    """Return a page without what each answer has drawn at random."""
    return re.sub(r'(nonce|data-passkey|name="question" value)="[^"]*"', r"\1", page)


async def test_nobody_is_signed_in_by_another_sites_form(story: Story) -> None:
    async with Browser(story.house) as victim, Browser(story.house) as attacker:
        page = await attacker.see("/sign-in")
        proofs = {"username": "berg", "password": PASSWORD, "code": story.house.code(story.berg)}
        for fields in ({}, hidden(page.text)):
            await victim.see("/sign-in")
            answer = await victim.http.post("/sign-in", data={**fields, **proofs})
            assert answer.status_code == 403
            assert "__Host-session" not in str(answer.headers)
        answer = await victim.http.post("/sign-in", data=proofs, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403


async def test_the_session_is_in_a_strict_cookie_and_nowhere_else(story: Story) -> None:
    async with Browser(story.house) as browser:
        answer = await browser.try_sign_in("berg", PASSWORD, story.house.code(story.berg))
        cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-session="))
        for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert attribute in cookie
        token = cookie.split("=", 1)[1].split(";")[0]
        for path in ("/cases", f"/cases/{story.case}", f"/messages/{story.first}"):
            page = await browser.see(path)
            assert token not in page.text
            assert token not in str(page.headers)


async def test_signing_out_ends_the_session_for_good(story: Story) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        kept = dict(browser.http.cookies)
        page = await browser.see("/cases")
        refused = await browser.http.post("/sign-out", data={"form_token": "x"})
        assert refused.status_code == 403
        answer = await browser.http.post("/sign-out", data=hidden(page.text))
        assert answer.headers["location"] == "/signed-out"
        browser.http.cookies.update(kept)
        again = await browser.see("/cases")
        assert again.headers["location"] == "/sign-in?ended"


async def test_without_a_session_every_page_leads_to_the_sign_in(anyone: Browser, story: Story) -> None:
    for path in ("/cases", f"/cases/{story.case}", f"/messages/{story.first}", f"/messages/{story.first}/parts/2"):
        answer = await anyone.see(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        problem = await anyone.see(path, accept="application/json")
        assert problem.status_code == 401
        assert problem.headers["content-type"] == "application/problem+json"


# ---- cases and messages


async def test_reading_a_message_makes_it_read_for_its_reader_alone(story: Story, ines: Browser) -> None:
    note = b"From: ines@agency.example\r\nTo: case@gateway.example\r\nSubject: Fresh\r\n\r\nx\r\n"
    reference = await story.house.receive(story.ines, story.case_id, [story.berg, story.sena], note)
    async with Browser(story.house) as berg, Browser(story.house) as sena:
        await berg.sign_in(story.berg)
        await sena.sign_in(story.sena)
        before = await ines.see(f"/messages/{reference}")
        assert "not so far" in before.text
        listed = await berg.see(f"/cases/{story.case}")
        assert listed.text.count("Unread</span>") >= 1
        assert (await berg.see(f"/messages/{reference}")).status_code == 200
        item = (await berg.see(f"/cases/{story.case}")).text.split("usa-collection__item")
        assert not next(one for one in item if reference in one).startswith(" is-unread")
        item = (await sena.see(f"/cases/{story.case}")).text.split("usa-collection__item")
        assert next(one for one in item if reference in one).startswith(" is-unread")
        after = await ines.see(f"/messages/{reference}")
        assert "Berg Tobias," in after.text
        assert "Sena Ortiz," not in after.text


async def test_a_correspondent_sees_the_message_and_nothing_of_its_way(berg: Browser, story: Story) -> None:
    page = await berg.see(f"/messages/{story.first}")
    for word in ("Budget for Zürich", "Ines Adler", "Someone Else", "chief@agency.example", story.first, "Liste.pdf"):
        assert word in page.text
    assert "Two things are still missing." in page.text
    for word in ("hidden@", "internal", "Internal Tool", "gateway.example", "first@agency", "received.eml"):
        assert word not in page.text


async def test_html_is_shown_in_a_sandbox_without_script_or_tracker(berg: Browser, story: Story) -> None:
    page = await berg.see(f"/messages/{story.first}?form=html")
    frame = re.search(r"<iframe ([^>]+)>", page.text)[1]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    assert "allow-scripts" not in frame
    assert "things" in frame
    assert "tracker.example" not in page.text
    assert "alert(1)" not in page.text


async def test_absent_and_forbidden_look_the_same(story: Story) -> None:
    async with Browser(story.house) as otto:
        await otto.sign_in(story.otto)
        pairs = [
            (f"/cases/{story.case}", "/cases/T-SM-2222"),
            (f"/cases/{story.case}/write", "/cases/T-SM-2222/write"),
            (f"/messages/{story.first}", "/messages/T-SM-2222-2222"),
            (f"/messages/{story.first}/parts/2", "/messages/T-SM-2222-2222/parts/2"),
            (f"/messages/{story.first}/copy.eml", "/messages/nonsense/copy.eml"),
            (f"/messages/{story.first}/received.eml", "/messages/nonsense/received.eml"),
            (f"/messages/{story.first}/sent", "/nothing/at/all"),
        ]
        for forbidden, absent in pairs:
            theirs, none = await otto.see(forbidden), await otto.see(absent)
            assert (theirs.status_code, none.status_code) == (404, 404)
            assert main_of(theirs.text) == main_of(none.text)


async def test_broken_mail_is_shown_as_received_with_a_note(berg: Browser, story: Story) -> None:
    broken = FIRST.replace(b"--b1--\r\n", b"").replace(b"Budget", b"Broken")
    reference = await story.house.receive(story.ines, story.case_id, [story.berg], broken)
    page = await berg.see(f"/messages/{reference}")
    assert "Shown as received" in page.text
    assert "missing close" in page.text
    assert "Liste.pdf" in page.text


@pytest.mark.parametrize(("name", "is_signed"), [("smime_clear_signed", True), ("plain", False)])
async def test_a_signature_is_told_where_there_is_one(name: str, is_signed: bool, berg: Browser, story: Story) -> None:
    octets = MAILS[name](Parties()) if name in MAILS else b"From: i@agency.example\r\nSubject: p\r\n\r\nx\r\n"
    reference = await story.house.receive(story.ines, story.case_id, [story.berg], octets)
    page = (await berg.see(f"/messages/{reference}")).text
    assert ("<dt>Signature</dt>" in page) == is_signed


async def test_many_messages_come_a_page_at_a_time(story: Story) -> None:
    house = story.house
    case_id, case = await house.open_case(story.ines)
    many = await house.add_user("Manu Many", [case_id])
    for number in range(30):
        note = f"From: ines@agency.example\r\nTo: x@gateway.example\r\nSubject: Note {number:02}\r\n\r\nx\r\n".encode()
        await house.receive(story.ines, case_id, [many], note)
        house.clock.advance(1)
    async with Browser(house) as browser:
        await browser.sign_in(many)
        newest = await browser.see(f"/cases/{case}")
        following = re.search(r'href="(/cases/[^"]+\?before=[^"]+)"', newest.text)[1]
        older = await browser.see(following)
        shown = re.findall(r">Note (\d\d)<", newest.text + older.text)
        assert shown == [f"{number:02}" for number in reversed(range(30))]
        assert "Older messages" not in older.text
        assert "Newest messages" in older.text


class Busy:
    """A keyholder after whose list there is always news."""

    def __init__(self, keyholder: KeyholderClient, news: Callable[[], Awaitable[str]]) -> None:
        self._keyholder, self._news = keyholder, news

    async def list(self, *asked: Any) -> tuple[SummaryGrant, ...]:
        grants = await self._keyholder.list(*asked)
        await self._news()
        return grants


async def test_what_arrives_while_a_page_is_made_takes_no_way_on(story: Story) -> None:
    house = story.house
    case_id, reference = await house.open_case(story.ines)
    many = await house.add_user("Mona Many", [case_id])
    note = b"From: ines@agency.example\r\nTo: x@gateway.example\r\nSubject: Note\r\n\r\nx\r\n"
    sent = [await house.receive(story.ines, case_id, [many], note) for _ in range(26)]

    async def news() -> str:
        return await house.receive(story.ines, case_id, [many], note)

    seen: list[str] = []
    async with Browser(house) as browser:
        await browser.sign_in(many)
        cookie = browser.http.cookies["__Host-session"]
        asking = Request({"type": "http", "headers": [(b"cookie", f"__Host-session={cookie}".encode())]})
        known = (house.database, house.keyholder, house.authority, house.clock)
        visitor = await Visitors(*known, house.programmes).look(asking)
        vault = Vault(house.database, house.blobs, Busy(house.keyholder, news), house.authority, house.clock)
        before, pages = None, 0
        while pages == 0 or before is not None:
            case, place = await vault.case(visitor, reference)
            lines, before = await vault.listing(visitor, case, place, before)
            seen += [line.row.reference for line in lines]
            pages += 1
    assert sorted(seen) == sorted(sent)


# ---- downloads


async def test_an_attachment_comes_whole_or_by_range(berg: Browser, story: Story) -> None:
    path = f"/messages/{story.first}/parts/2"
    whole = await berg.see(path)
    assert whole.content == LISTE
    assert whole.headers["content-disposition"] == 'attachment; filename="Liste.pdf"'
    assert whole.headers["content-type"] == "application/pdf"
    assert "sandbox" in whole.headers["content-security-policy"]
    part = await berg.see(path, range="bytes=10-19")
    assert (part.status_code, part.content) == (206, LISTE[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(LISTE)}"
    tail = await berg.see(path, range="bytes=-5")
    assert tail.content == LISTE[-5:]
    assert (await berg.see(path, range="bytes=500-")).status_code == 416
    same = await berg.see(path, range="bytes=0-1", if_range=whole.headers["etag"])
    other = await berg.see(path, range="bytes=0-1", if_range='"another"')
    assert (same.content, other.content) == (LISTE[:2], LISTE)
    head = await berg.http.head(path)
    assert (head.headers["content-length"], head.content) == (str(len(LISTE)), b"")


@pytest.mark.parametrize("path", ["99", "TEXT", "1", "0", "2..2", "2.1", "%C3%A9", "x" * 65, "%00"])
async def test_only_parts_that_are_there_can_be_downloaded(berg: Browser, story: Story, path: str) -> None:
    assert (await berg.see(f"/messages/{story.first}/parts/{path}")).status_code == 404


async def test_a_correspondents_copy_has_no_trace_of_the_way(berg: Browser, story: Story) -> None:
    copy = await berg.see(f"/messages/{story.first}/copy.eml")
    head, _, body = copy.content.partition(b"\r\n\r\n")
    assert body == FIRST.partition(b"\r\n\r\n")[2]
    for word in (b"Received", b"Bcc", b"hidden", b"internal", b"X-Mailer", b"first@agency"):
        assert word not in head
    for word in (b"Ines Adler", b"chief@agency.example", b"Subject:", b"Date: Mon, 02 Nov 2026"):
        assert word in head
    assert copy.headers["content-disposition"] == f'attachment; filename="{story.first}.eml"'


async def test_the_octets_as_received_are_for_employees(berg: Browser, ines: Browser, story: Story) -> None:
    assert (await berg.see(f"/messages/{story.first}/received.eml")).status_code == 404
    received = await ines.see(f"/messages/{story.first}/received.eml")
    assert received.content == FIRST


# ---- what every answer has


async def test_every_answer_carries_the_security_headers(berg: Browser, anyone: Browser, story: Story) -> None:
    for browser in (berg, anyone):
        for path in ("/", "/genuine", "/sign-in", "/cases", f"/messages/{story.first}", "/nothing", "/health"):
            answer = await browser.see(path)
            for name, value in SECURITY_HEADERS.items():
                found = re.search(r'<script [^>]*nonce="([\w-]+)"', answer.text)
                expected = with_script(found[1]).get(name, value) if found else value
                assert answer.headers[name] == expected, (path, name)
            assert "server" not in answer.headers


async def test_style_sheets_may_be_kept_and_nothing_else(anyone: Browser) -> None:
    page = await anyone.see("/")
    for address in re.findall(r'href="(/static/[^"]+)"', page.text):
        static = await anyone.see(address)
        assert static.status_code == 200
        assert "max-age" in static.headers["cache-control"]
    assert (await anyone.see("/static/../base.html")).status_code == 404
    assert (await anyone.see("/static/nothing.css")).status_code == 404


async def test_another_host_is_sent_away(anyone: Browser) -> None:
    assert (await anyone.see("/", host="evil.example")).status_code == 421
    assert (await anyone.see("/health", host="10.0.0.1")).status_code == 200


async def test_a_wrong_method_is_refused(berg: Browser) -> None:
    assert (await berg.http.post("/cases")).status_code == 405
    assert (await berg.http.delete("/cases", headers={"accept": "application/json"})).json()["status"] == 405


async def test_pages_outside_production_say_so(berg: Browser, anyone: Browser) -> None:
    for browser, path in ((berg, "/cases"), (anyone, "/"), (anyone, "/sign-in"), (berg, "/nothing")):
        assert "This is the environment “trial”" in (await browser.see(path)).text


async def test_the_page_for_a_doubtful_mail_needs_no_sign_in(anyone: Browser) -> None:
    page = await anyone.see("/genuine")
    assert page.status_code == 200
    assert "<strong>localhost</strong>" in page.text


async def test_the_case_s_card_is_for_its_employees(story: Story, ines: Browser, berg: Browser) -> None:
    path = f"/cases/{story.case}/card.vcf"
    assert path in (await ines.see(f"/cases/{story.case}")).text
    answer = await ines.see(path)
    assert answer.headers["content-type"].startswith("text/vcard")
    assert f"{story.case.lower()}@gateway.example" in answer.text
    assert path not in (await berg.see(f"/cases/{story.case}")).text
    assert (await berg.see(path)).status_code == 404
