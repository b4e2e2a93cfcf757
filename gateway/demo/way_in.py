"""The story's beginning: how the other side comes in, from the papers in the intake tray to the first sign-in."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.demo.enrolling import Enrolling, Facts
from gateway.demo.proof import Proof
from gateway.demo.search import search, words
from gateway.demo.telling import Told, require
from gateway.demo.world import World
from gateway.domain.enrolment import AgreementState, PlaceState


@dataclass(slots=True)
class WayIn:
    """Its four steps, each of which does what is left to do, and tells what is so now."""

    world: World

    async def papers_come(self) -> Told:
        """The papers wait in the intake tray, sealed; or they are an agreement's by now."""
        item = await self._enrolling.receive()
        return Told(
            f"Signed papers come into the intake tray as {item}, sealed: a consent form that names {len(self._names)} "
            "people, and what authorises one of them.",
            self.proof.gateway("intake", "show", item),
        )

    async def papers_are_checked(self) -> Told:
        """An agreement is opened from the papers and accepted, once every field is there."""
        facts = await self._enrolling.check()
        require(facts["state"] in {AgreementState.REVIEWED, AgreementState.NOTICE}, f"it is {facts['state']}")
        require(not facts["missing"], f"missing: {', '.join(facts['missing'])}")
        sealed = [key for key, value in facts["fields"].items() if value == "(sealed)"]
        for key in sealed:
            value = self._enrolling.papers.fields["consent"][key]
            found = [search(words(form), [self.world.vault]) for form in (value, value.replace("-", ""))]
            require(not any(one.hits for one in found), f"the disk holds the {key}")
        return Told(
            f"Agreement {facts['reference']} is opened from them, checked field by field, accepted. The "
            f"{', '.join(sealed)} stands nowhere on the disk.",
            self.proof.page(f"desk/agreements/{facts['reference']}", "clara"),
        )

    async def people_are_met(self) -> Told:
        """Everybody was met and identified, and is invited by a code that was told to them."""
        facts = await self._enrolling.meet()
        for user in facts["designated_users"]:
            held = [one for one in user["meetings"] if one["outcome"] == "identified"]
            require(bool(held), f"{user['name']} was not identified")
            require(user["state"] in {PlaceState.INVITED, PlaceState.ACTIVE}, f"{user['name']} is {user['state']}")
        return Told(
            f"{self._names[0]} and the others are met, identified by what they show, invited: each has a code, good "
            f"once and for {self._enrolling.programme.enrolment.code_hours} hours.",
            self.proof.gateway("enrolment", "show", facts["reference"]),
        )

    async def they_sign_in(self) -> Told:
        """With the code each chooses a way of signing in, and is active from then on."""
        facts = await self._enrolling.sign_in()
        states = {user["name"]: user["state"] for user in facts["designated_users"]}
        said = [self._said(facts, who.key) for who in self._enrolling.users if not who.waits]
        for who in self._enrolling.users:
            if not who.waits:
                require(states[who.name] == PlaceState.ACTIVE, f"{who.name} is {states[who.name]}")
        waits = [who for who in self._enrolling.users if who.waits and states[who.name] == PlaceState.INVITED]
        more = "".join(f" {who.name} has not: that is for you." for who in waits)
        return Told(
            f"They type the codes in the portal and choose how they sign in. {' '.join(said)}{more}",
            self.proof.first_sign_in(waits[0].key) if waits else self.proof.page("cases", "ines"),
        )

    @property
    def proof(self) -> Proof:
        """How to tell a stranger what to do."""
        return Proof(self.world)

    @property
    def _enrolling(self) -> Enrolling:
        return self.world.enrolling

    @property
    def _names(self) -> list[str]:
        return [who.name for who in self._enrolling.users]

    def _said(self, facts: Facts, key: str) -> str:
        who = self.world.people[key]
        (role,) = (user["role"] for user in facts["designated_users"] if user["address"] == who.address)
        way = "at the demo's identity provider" if who.issuer else "by password and authenticator app"
        return f"{who.name} ({role}): {way}."
