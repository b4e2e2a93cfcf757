"""An enrolment from an item of the tray on one page: its consent form, the users it names, their authorisations.

The values are suggested by a machine, shown beside the pages, and written by the person who has looked at both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.domain.address import parse_address
from gateway.domain.clock import from_microseconds
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.paper import Shape
from gateway.domain.programme import Form, FormKind
from gateway.domain.recognition import Suggestion
from gateway.portal.desk.documents import WITH_PICTURE
from gateway.portal.desk.entry import Clerk, Desk, where
from gateway.portal.desk.items import Item, Items
from gateway.portal.desk.leaves import Bundle, rows_of, suggested, surest
from gateway.portal.desk.listing import consent_of
from gateway.portal.desk.tray import PATH
from gateway.portal.desk.typed import Input, Problems, Typed, day_problem, inputs, read_fields
from gateway.portal.desk.users import naming_problems
from gateway.store.ids import new_id
from gateway.store.matches import Match, people_like

_ONE: Final = f"{PATH}/{{item}}/enrol"
_NAMED: Final = ("name", "address", "telephone", "role", "person")
_NEW: Final = "new"
_OF_SHAPE: Final = {
    Shape.TEXT: "name", Shape.ADDRESS: "address", Shape.TELEPHONE: "telephone", Shape.YES_NO: "role"
}  # fmt: skip
"""What a field of an appendix is to the gateway, by its shape."""


@dataclass(frozen=True, slots=True)
class Line:
    """A designated user as the page has them: what was typed, and who is known here that it may be."""

    number: int
    typed: Mapping[str, str]
    is_added: bool
    matches: tuple[Match, ...] = ()

    @property
    def prefix(self) -> str:
        """What the names of its inputs begin with."""
        return f"u{self.number}-"


@dataclass(frozen=True, slots=True)
class Block:
    """An authorisation as the page has it: whose, and its fields."""

    bundle: Bundle
    form: Form
    key: str
    user: int
    typed: Typed
    is_added: bool
    inputs: tuple[Input, ...] = ()

    @property
    def prefix(self) -> str:
        """What the names of its inputs begin with."""
        return f"a{self.bundle.number}-"


@dataclass(frozen=True, slots=True)
class Enrolling:
    """The whole page: the consent form, its users, their authorisations, and what is wrong."""

    key: str
    received: str
    cases: str
    typed: Typed
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    problems: Problems = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnrollingPages:
    """`/desk/intake/ITEM/enrol`."""

    desk: Desk
    items: Items

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [Route(_ONE, self.show, methods=["GET"]), Route(_ONE, self.enrol, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The page with what is suggested."""
        clerk = await self.desk.clerk(request)
        item = await self._item(request, clerk)
        return self._page(request, clerk, item, _suggestion(clerk, item))

    async def enrol(self, request: Request) -> Response:
        """Open the agreement, link the item, name its users, enter their authorisations."""
        clerk, sent = await self.desk.sent(request)
        item = await self._item(request, clerk)
        known = await self.desk.look(clerk, lambda rows: rows.agreement(sent.get("key", "")))
        if known is not None and known["designated_users"]:  # the same form, sent twice
            return RedirectResponse(where(self.desk.mine(clerk, known)["reference"], said="enrolled"), status_code=303)
        asked = await self._judged(clerk, _sent(clerk, item, sent))
        if asked.problems:
            return self._page(request, clerk, item, asked, 422)
        try:
            made = await self.desk.enact(
                clerk,
                "open_agreement",
                programme=clerk.programme.key,
                received=asked.received,
                cases=list(dict.fromkeys(asked.cases.upper().split())),
                fields={name: value for name, value in asked.typed.values.items() if value},
                key=asked.key,
            )
            reference = str(made["reference"])
            await self.desk.keyholder.paper_link(clerk.visitor.token, reference, item.reference)
        except (Malformed, NotAllowed) as problem:
            at = "cases" if isinstance(problem, NotAllowed) else ""
            told = "claimed" if isinstance(problem, Moved) else problem.advice
            return self._page(request, clerk, item, replace(asked, problems={at: told}), 422)
        return RedirectResponse(where(reference, said=await self._rest(clerk, reference, item, asked)), status_code=303)

    async def _rest(self, clerk: Clerk, reference: str, item: Item, asked: Enrolling) -> str:
        """Name the users and enter their authorisations; what cannot be is left to the pages of the agreement."""
        try:
            made = {}
            for line in asked.lines:
                said = {name: line.typed[name] for name in ("name", "address", "telephone", "role")}
                person = {} if line.typed["person"] in {"", _NEW} else {"person": line.typed["person"]}
                done = await self.desk.enact(clerk, "name_user", agreement=reference, **said, **person)
                made[line.number] = str(done["designated_user"])
            for block in asked.blocks:
                await self.desk.enact(
                    clerk,
                    "add_authorisation",
                    designated_user=made[block.user],
                    kind=block.form.kind.value,
                    received=asked.received,
                    fields={key: value for key, value in block.typed.values.items() if value},
                    cases=[],
                    key=block.key,
                )
                await self.desk.keyholder.paper_link(clerk.visitor.token, block.key, item.reference)
        except (Malformed, NotAllowed):
            return "enrolled-partly"
        return "enrolled"

    async def _judged(self, clerk: Clerk, asked: Enrolling) -> Enrolling:
        """Return what is to be done, with all that is wrong with it."""
        problems = dict(asked.typed.problems)
        if wrong := day_problem(asked.received, clerk.today):
            problems["received"] = wrong
        lines = []
        for line in asked.lines:
            wrong_here = naming_problems(line.typed, clerk) if line.is_added else {}
            matches = await self._matches(clerk, line) if line.is_added and not wrong_here else ()
            if matches and line.typed["person"] not in {_NEW, *(one.person_id for one in matches)}:
                wrong_here["person"] = "Please say whether this is somebody known here."
            problems |= {line.prefix + name: text for name, text in wrong_here.items()}
            lines.append(replace(line, matches=matches))
        added = {line.number for line in lines if line.is_added}
        for block in asked.blocks:
            if block.is_added:
                problems |= block.typed.problems
                if block.user not in added:
                    problems[block.prefix + "user"] = "Please say whose it is."
        if problems:
            return replace(asked, lines=tuple(lines), problems=problems)
        kept = tuple(line for line in lines if line.is_added)
        return replace(asked, lines=kept, blocks=tuple(block for block in asked.blocks if block.is_added))

    async def _matches(self, clerk: Clerk, line: Line) -> tuple[Match, ...]:
        address = parse_address(line.typed["address"]).key
        found = people_like
        rows = await self.desk.database.read(found, clerk.programme.key, line.typed["name"], address, clerk.now_us)
        return tuple(rows)

    async def _item(self, request: Request, clerk: Clerk) -> Item:
        """Open the item at its consent form, with the authorisations that came with it."""
        return await self.items.open(clerk, request.path_params["item"], 0, form=consent_of(clerk))

    def _page(self, request: Request, clerk: Clerk, item: Item, asked: Enrolling, status: int = 200) -> Response:
        blocks = [
            replace(one, inputs=tuple(inputs(one.form, {}, one.typed, prefix=f"{one.prefix}f-")))
            for one in asked.blocks
        ]
        return self.desk.pages.page(
            request,
            "desk_enrol.html",
            clerk.visitor,
            status=status,
            headers=WITH_PICTURE,
            item=item,
            asked=replace(asked, blocks=tuple(blocks)),
            form=consent_of(clerk),
            inputs=inputs(consent_of(clerk), {}, asked.typed),
            found=_found(clerk, item, blocks),
            roles=clerk.programme.roles,
            problems=asked.problems,
            form_token=clerk.form_token,
        )


def _suggestion(clerk: Clerk, item: Item) -> Enrolling:
    """Return the page with what a machine has found, to be confirmed field by field."""
    consent = next(iter(item.leaves.of_form(consent_of(clerk))), None)
    blocks = [_block(one, suggested(one)) for one in _authorising(item)]
    lines = _lines(clerk, consent, blocks) or [Line(1, dict.fromkeys(_NAMED, ""), is_added=False)]
    blocks = [replace(one, user=_whose(one, lines), is_added=any(line.is_added for line in lines)) for one in blocks]
    proposed = item.row.proposed if item.row is not None else None
    return Enrolling(
        new_id(),
        _day_of(clerk, item).isoformat(),
        proposed or "",
        Typed(suggested(consent)),
        tuple(lines),
        tuple(blocks),
    )


def _found(clerk: Clerk, item: Item, blocks: list[Block]) -> dict[str, Suggestion]:
    """Return where on the pages each suggestion stands, by the name of its input."""
    consent = next(iter(item.leaves.of_form(consent_of(clerk))), None)
    found = {f"f-{key}": one for key, one in surest(consent).items()}
    keys = {one.key: _OF_SHAPE.get(one.shape, "") for one in consent_of(clerk).fields if one.is_of_appendix}
    for number, row in enumerate(rows_of(consent), 1):
        found |= {f"u{number}-{keys.get(key, '')}": one for key, one in surest(consent, row).items()}
    for block in blocks:
        found |= {f"{block.prefix}f-{key}": one for key, one in surest(block.bundle).items()}
    return found


def _sent(clerk: Clerk, item: Item, sent: Mapping[str, str]) -> Enrolling:
    """Return the page as it was sent."""
    typed = read_fields(consent_of(clerk), sent, clerk.today)
    lines = []
    for number in range(1, clerk.programme.limits.designated_users + 1):
        if f"u{number}-name" in sent:
            named = {name: sent.get(f"u{number}-{name}", "").strip() for name in _NAMED}
            lines.append(Line(number, named, is_added=f"u{number}-add" in sent))
    blocks = []
    for bundle in _authorising(item):
        block = _block(bundle, {})
        if f"{block.prefix}key" in sent:
            fields = read_fields(block.form, sent, clerk.today, all_of_them=True, prefix=f"{block.prefix}f-")
            user = sent.get(f"{block.prefix}user", "")
            block = replace(block, key=sent[f"{block.prefix}key"], typed=fields, is_added=f"{block.prefix}add" in sent)
            blocks.append(replace(block, user=int(user) if user in {str(one.number) for one in lines} else 0))
    return Enrolling(
        sent.get("key", ""), sent.get("received", "").strip(), sent.get("cases", ""), typed, tuple(lines), tuple(blocks)
    )


def _lines(clerk: Clerk, consent: Bundle | None, blocks: list[Block]) -> list[Line]:
    appendix = [one for one in consent_of(clerk).fields if one.is_of_appendix]
    lines = []
    for number, row in enumerate(rows_of(consent)[: clerk.programme.limits.designated_users], 1):
        said = suggested(consent, row)
        by_shape = {one.shape: said.get(one.key, "") for one in appendix}
        represents = by_shape.get(Shape.YES_NO) == "yes"
        typed = {
            **{name: by_shape.get(shape, "") for shape, name in _OF_SHAPE.items()},
            "role": _role(clerk, [one.form.kind for one in blocks], represents=represents),
            "person": "",
        }
        lines.append(Line(number, typed, is_added=bool(typed["name"] and typed["address"])))
    return lines


def _role(clerk: Clerk, kinds: list[FormKind], *, represents: bool) -> str:
    """Return the role that the paper speaks for: what a box that is ticked needs, or an authorisation that came too."""
    wanted = [FormKind.AUTHORISATION_REPRESENTATIVE] if represents else [*kinds, None]
    return next((role.key for need in wanted for role in clerk.programme.roles if role.needs is need), "")


def _whose(block: Block, lines: list[Line]) -> int:
    """Return the user whose name an authorisation has, or the only one."""
    said = {" ".join(value.casefold().split()) for value in block.typed.values.values()}
    named = [line.number for line in lines if " ".join(line.typed["name"].casefold().split()) in said]
    return named[0] if named else lines[0].number if len(lines) == 1 else 0


def _authorising(item: Item) -> list[Bundle]:
    return [one for one in item.leaves.bundles if one.form and one.form.kind.value.startswith("authorisation")]


def _block(bundle: Bundle, values: Mapping[str, str]) -> Block:
    if bundle.form is None:
        raise ValueError("an authorisation is a form")
    return Block(bundle, bundle.form, new_id(), 0, Typed(values), is_added=False)


def _day_of(clerk: Clerk, item: Item) -> date:
    """Return the day on which a fax came, as its line tells, if that can be; else when we took it."""
    told = item.summary.fax.told_us if item.summary and item.summary.fax else None
    came = item.row.received_us if item.row is not None else clerk.now_us
    at_us = told if told is not None and told <= clerk.now_us else came
    return from_microseconds(at_us).astimezone(clerk.zone).date()
