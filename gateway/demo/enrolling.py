"""How the demo's correspondents come in: by a paper that is opened, checked, met about, invited for; then they sign in.

Each stage looks at where things stand and does what is left of it, so that a demo killed anywhere goes on from there.
What employees do at the desk is done here by the same verbs, as the operator.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp

from gateway.authenticator.client import OperatorClient as AuthenticatorOperator
from gateway.clock import system_clock
from gateway.demo.actors import Browser, Page
from gateway.demo.office import operators, read
from gateway.demo.papers import SCANNER, Papers
from gateway.demo.people import DemoPerson, invented_people
from gateway.demo.provider import KEY
from gateway.domain.address import Address
from gateway.domain.clock import to_microseconds
from gateway.domain.enrolment import AgreementState, Outcome, PlaceState
from gateway.domain.errors import Malformed, Unavailable
from gateway.domain.intake import SenderResult
from gateway.domain.programme import FormKind, Programme
from gateway.domain.summary import Arrival
from gateway.inbound.tray import IntakeTray, OutsideMail
from gateway.keyholder.client import OperatorClient as KeyholderOperator
from gateway.programmes import load_programmes
from gateway.store import keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.enrolments import Enrolments
from gateway.store.intake import NoIntakeKey

if TYPE_CHECKING:
    from gateway.demo.world import World

MEETING_AHEAD_US = 60_000_000
CODE_LEFT_SECONDS = 3600
KEY_SECONDS = 60.0
_UNDER_WAY = {AgreementState.RECEIVED, AgreementState.ASKED, AgreementState.REVIEWED, AgreementState.NOTICE}
_GONE = {PlaceState.ENDED, PlaceState.REVOKED}
Facts = dict[str, Any]


class Enrolling:
    """The way in of everybody whom the papers name."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def papers(self) -> Papers:
        """What the papers say."""
        return Papers.of(self._folder)

    @cached_property
    def programme(self) -> Programme:
        """The programme that runs here."""
        return load_programmes([self._folder])[self.world.plan.key]

    @property
    def users(self) -> list[DemoPerson]:
        """Whom the papers name, in their order."""
        return [self.world.people[key] for key in self.papers.roles]

    async def come_in(self) -> None:
        """Do all of it, or what is left of it."""
        await self.receive()
        await self.check()
        await self.meet()
        await self.sign_in()

    async def receive(self) -> str:
        """Let the papers come into the intake tray; return their reference there, also of those that came before."""
        facts = await self._facts()
        if facts is not None and self._leads_in(facts):
            if facts["documents"]:
                return str(facts["documents"][0]["item"])
        elif facts is not None:
            await self._begin_anew(facts)
        octets = self.papers.scanned(self.programme, self.users, self._came(), self._today)
        async with asyncio.timeout(KEY_SECONDS):
            while True:
                try:
                    return await self._take(octets)
                except NoIntakeKey:  # the keyholder makes it as it starts
                    await asyncio.sleep(0.1)

    async def check(self) -> Facts:
        """Open an agreement from the papers, enter what they say, accept them; return the agreement."""
        item = await self.receive()
        facts = await self._facts()
        async with operators(self.world.settings) as (keyholder, _):
            if facts is None:
                facts = await self._open(keyholder)
            reference = facts["reference"]
            if not facts["documents"]:
                await keyholder.paper_link(reference, item)
            if facts["state"] in {AgreementState.RECEIVED, AgreementState.ASKED}:
                await self._name_users(keyholder, facts)
                await self._authorise(keyholder, await self.agreement())
                await keyholder.enact("review_agreement", agreement=reference)
        return await self.agreement()

    async def meet(self) -> Facts:
        """Meet everybody, and invite them by a code that is told to them; return the agreement."""
        facts = await self.check()
        async with operators(self.world.settings) as (keyholder, authenticator):
            for user in facts["designated_users"]:
                who = self._person_of(user)
                who.id, who.username, who.place = user["person"], user["username"], user["id"]
                try:
                    await self._bring_back(keyholder, user)
                except Malformed:  # it was too long ago
                    await self._begin_anew(facts)
                    return await self.meet()
                if user["state"] in {PlaceState.NAMED, PlaceState.MEETING}:
                    await self._identify(keyholder, user)
                if user["state"] == PlaceState.ACTIVE:
                    who.first_code = ""
                elif user["state"] not in _GONE:
                    await self._invite(keyholder, authenticator, who)
        self.world.keep()
        return await self.agreement()

    async def sign_in(self) -> Facts:
        """Let everybody sign in for the first time but who is left for you to try; return the agreement."""
        facts = await self.meet()
        for user in facts["designated_users"]:
            who = self._person_of(user)
            if user["state"] == PlaceState.INVITED and not who.waits:
                await self._first_sign_in(who)
            elif user["state"] == PlaceState.ACTIVE and who.issuer not in {"", self.world.issuer}:
                await self._move(who)
        return await self.agreement()

    async def agreement(self) -> Facts:
        """Return everything of the agreement. Raises Unavailable where there is none."""
        facts = await self._facts()
        if facts is None:
            raise Unavailable("The agreement of the demo is gone.")
        return facts

    @property
    def _folder(self) -> Path:
        (folder,) = self.world.settings.programmes
        return folder

    async def _facts(self) -> Facts | None:
        def query(connection: Any) -> Facts | None:
            authority = keyfiles.authority_public(self.world.settings.keys.folder)
            now_us = to_microseconds(system_clock())
            known = Enrolments(connection, authority, now_us, {self.programme.key: self.programme})
            open_ones = (one for one in known.agreements() if one["state"] != AgreementState.ENDED)
            ours = [one["reference"] for one in open_ones if self.world.case in one["cases"]]
            wanted = self.world.agreement or (ours[0] if ours else "")
            return known.agreement(wanted) if wanted else None

        return await read(self.world.settings, query)

    def _leads_in(self, facts: Facts) -> bool:
        """Tell whether everybody can still come in by an agreement, or has."""
        wanted = [user for user in facts["designated_users"] if not self._person_of(user).waits]
        return facts["state"] in _UNDER_WAY and all(user["state"] != PlaceState.ENDED for user in wanted)

    async def _begin_anew(self, facts: Facts) -> None:
        """Forget an agreement that somebody ended, and the people who came by it: the papers come once more."""
        fresh = invented_people()
        async with operators(self.world.settings) as (keyholder, _):
            if facts["state"] not in {AgreementState.ENDED, AgreementState.REFUSED}:
                await keyholder.enact("end_agreement", agreement=facts["reference"])
            for user in facts["designated_users"]:
                await keyholder.enact("end_person", person=user["person"])
        self.world.people |= {key: fresh[key] for key in self.papers.roles}
        self.world.agreement = self.world.came = ""
        self.world.keep()

    async def _take(self, octets: bytes) -> str:
        settings = self.world.settings
        database = Database(settings.store.url, readers=1)
        try:
            tray = IntakeTray(
                database=database,
                blobs=BlobFolder(settings.store.blobs),
                authority=keyfiles.authority_public(settings.keys.folder),
                domain=settings.site.domain,
                deposit_key=keyfiles.deposit_key(settings.keys.folder),
            )
            to = Address("papers", settings.site.domain)
            arrival = Arrival(SCANNER, (str(to),), "scanner.agency.example", "127.0.0.1")
            reply = await tray.take(OutsideMail(octets, arrival, (to,), None, SenderResult.NONE))
            return reply.text.split()[0]
        finally:
            await asyncio.to_thread(database.close)

    async def _open(self, keyholder: KeyholderOperator) -> Facts:
        today = self._today
        made = await keyholder.enact(
            "open_agreement",
            programme=self.programme.key,
            received=today.isoformat(),
            cases=[self.world.case],
            fields=self._consent(today),
        )
        self.world.agreement = str(made["reference"])
        self.world.keep()
        return await self.agreement()

    def _consent(self, today: date) -> dict[str, str]:
        form = self.programme.form(FormKind.CONSENT)
        return self.papers.answers(form, today) if form else {}

    async def _name_users(self, keyholder: KeyholderOperator, facts: Facts) -> None:
        named = {user["address"] for user in facts["designated_users"]}
        for who in self.users:
            if who.address not in named:
                await keyholder.enact(
                    "name_user",
                    agreement=facts["reference"],
                    name=who.name,
                    address=who.address,
                    telephone=who.telephone,
                    role=self.papers.roles[who.key],
                )

    async def _authorise(self, keyholder: KeyholderOperator, facts: Facts) -> None:
        today = self._today
        for user in facts["designated_users"]:
            form = next((one for one in self.programme.forms if one.kind == user["needs"]), None)
            if form is not None and not user["authorisations"]:
                await keyholder.enact(
                    "add_authorisation",
                    designated_user=user["id"],
                    kind=form.kind.value,
                    received=today.isoformat(),
                    fields=self.papers.answers(form, today),
                    cases=[],
                )

    async def _bring_back(self, keyholder: KeyholderOperator, user: Facts) -> None:
        """Undo what an earlier run was killed in the middle of, or somebody tried."""
        if user["state"] == PlaceState.SUSPENDED:
            user["state"] = (await keyholder.enact("resume_user", designated_user=user["id"]))["state"]
        if user["state"] == PlaceState.REVOKED:
            user["state"] = (await keyholder.enact("undo_user", designated_user=user["id"]))["state"]

    async def _identify(self, keyholder: KeyholderOperator, user: Facts) -> None:
        starts_us = to_microseconds(system_clock()) + MEETING_AHEAD_US
        rules = self.programme.enrolment
        await keyholder.enact("schedule_meeting", designated_user=user["id"], starts_us=starts_us)
        held = {"outcome": Outcome.IDENTIFIED.value, "document": rules.documents[0], "checks": list(rules.checklist)}
        await keyholder.enact("hold_meeting", designated_user=user["id"], **held)

    async def _invite(
        self, keyholder: KeyholderOperator, authenticator: AuthenticatorOperator, who: DemoPerson
    ) -> None:
        """Invite somebody, again where the code is lost or nearly over."""
        if who.first_code and who.first_code_until > time.time() + CODE_LEFT_SECONDS:
            return
        made, until = await authenticator.make_first_code(), self._code_until()
        await keyholder.enact(
            "invite_user", designated_user=who.place, lookup=made.lookup, expires_us=until * 1_000_000
        )
        who.first_code, who.first_code_until = made.clear, until
        self.world.keep()

    async def _first_sign_in(self, who: DemoPerson) -> None:
        issuer = self.world.issuer if who.wants_provider else ""
        async with Browser(self.world.portal, self.world.tls) as browser:
            page = await browser.type_first_code(who.first_code, KEY if issuer else "")
            if issuer:
                who.issuer = issuer  # noted before it is so: killed after it, the person is known by it
                self.world.keep()
                page = await browser.go_on(page, issuer, who.key)
            else:
                page = await self._choose_password(browser, who, page)
            page = await browser.agree(page)
            if not page.url.endswith("/cases"):
                raise Unavailable(f"The first sign-in of {who.key} ended at {page.url} ({page.status}).")
        who.first_code = ""
        self.world.keep()

    async def _choose_password(self, browser: Browser, who: DemoPerson, page: Page) -> Page:
        who.issuer = ""
        who.seed, who.last_code_at = page.seed, int(time.time())
        who.password = who.password or f"invented words for {who.key} {secrets.token_hex(4)}"
        self.world.keep()  # before it is so: killed after it, the person has these
        fields = {"password": who.password, "code": pyotp.TOTP(who.seed).at(who.last_code_at)}
        return await browser.submit(page.form("/first-sign-in/password"), fields)

    async def _move(self, who: DemoPerson) -> None:
        """Give a person whose provider is not there any more another code: it is the way back for who lost all."""
        async with operators(self.world.settings) as (keyholder, authenticator):
            made, until = await authenticator.make_first_code(), self._code_until()
            code = {"kind": "first_code", "lookup": made.lookup, "expires_us": until * 1_000_000}
            await keyholder.enact("add_credential", person=who.id, label="way back", **code)
        who.first_code, who.first_code_until = made.clear, until
        await self._first_sign_in(who)

    def _code_until(self) -> int:
        return int(time.time()) + self.programme.enrolment.code_hours * 3600

    def _person_of(self, user: Facts) -> DemoPerson:
        return next(who for who in self.users if who.address == user["address"])

    @property
    def _today(self) -> date:
        """The day on which the papers came, in the programme's zone."""
        return date.fromisoformat(self._came().partition(".")[0])

    def _came(self) -> str:
        """Return what tells these papers from others: the day, and a word."""
        if not self.world.came:
            self.world.came = f"{datetime.now(self.programme.zone).date().isoformat()}.{secrets.token_hex(4)}"
            self.world.keep()
        return self.world.came
