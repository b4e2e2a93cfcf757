"""One item of the intake tray on the desk: its pages, what may stand on them, and the acts that give it a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.casework.handling import REASONS
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.letter import Reason
from gateway.domain.programme import Form
from gateway.domain.reference import parse
from gateway.domain.rights import Verb
from gateway.portal.desk.documents import WITH_PICTURE
from gateway.portal.desk.entry import Clerk, Desk
from gateway.portal.desk.items import Item, Items
from gateway.portal.desk.leaves import Leaves
from gateway.portal.desk.tray import PATH, where
from gateway.portal.notices import language_names
from gateway.store.cases import case_by_reference, standing
from gateway.store.enrolments import Listed

_ONE: Final = f"{PATH}/{{item}}"
_QUARTER: Final = 90
_ROUND: Final = 360


@dataclass(frozen=True, slots=True)
class ItemPages:
    """`/desk/intake/ITEM` and what is sent from it."""

    desk: Desk
    items: Items

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route(_ONE, self.show, methods=["GET"]),
            Route(f"{_ONE}/acts", self.act, methods=["POST"]),
            Route(f"{_ONE}/pages", self.arrange, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """A bundle of its pages, what may stand on them, and what can be done."""
        clerk = await self.desk.worker(request)
        return await self._page(request, clerk)

    async def act(self, request: Request) -> Response:
        """Give the item a place: a case, an agreement, or none here."""
        clerk, fields = await self.desk.sent_by_worker(request)
        acts = {
            "file": (self._file, "case"),
            "link": (self._link, "agreement"),
            "authorise": (self._authorise, "agreement"),
            "misdirect": (self._misdirect, "reason"),
            "discard": (self._discard, ""),
        }
        if fields.get("do", "") not in acts:
            raise Malformed("There is no such act.")
        act, at = acts[fields["do"]]
        try:
            address = await act(clerk, request.path_params["item"].upper(), fields)
        except Moved:
            return await self._page(request, clerk, problems={"": "claimed"}, typed=fields, status=409)
        except (Malformed, NotAllowed) as problem:
            return await self._page(request, clerk, problems={at: problem.advice}, typed=fields, status=422)
        return RedirectResponse(address, status_code=303)

    async def arrange(self, request: Request) -> Response:
        """Begin a section at a page, join one with the one before it, or turn a page."""
        clerk, fields = await self.desk.sent_by_worker(request)
        known_as = request.path_params["item"].upper()
        item = await self.items.open(clerk, known_as, draw=False)
        page, do = _number(fields.get("page", "")), fields.get("do", "")
        sections, turns, shown = _arranged(item.leaves, do, page)
        kind = {"split": "split", "merge": "merged", "turn": "turned"}.get(do)
        if kind is None or item.problem:
            raise Malformed("There is no such act.")
        try:
            await self.desk.enact(
                clerk,
                "arrange_item",
                item=known_as,
                kind=kind,
                sections=[" ".join(map(str, one)) for one in sections],
                turns={str(number): str(turn) for number, turn in turns.items()},
                version=_number(fields.get("version", ""), -1),
            )
        except (Malformed, NotAllowed) as problem:
            told = "claimed" if isinstance(problem, Moved) else problem.advice
            return await self._page(request, clerk, problems={"": told}, status=409)
        return RedirectResponse(f"{where(known_as)}?section={shown}&said={kind}", status_code=303)

    async def _file(self, clerk: Clerk, known_as: str, fields: Mapping[str, str]) -> str:
        case = fields.get("case", "").strip().upper()
        await self.desk.keyholder.file(clerk.visitor.token, known_as, case)
        return f"{PATH}?said=filed&item={known_as}"

    async def _link(self, clerk: Clerk, known_as: str, fields: Mapping[str, str]) -> str:
        agreement = await self._agreement(clerk, fields)
        await self.desk.keyholder.paper_link(clerk.visitor.token, agreement["reference"], known_as)
        return f"{where(known_as)}?said=linked"

    async def _authorise(self, clerk: Clerk, known_as: str, fields: Mapping[str, str]) -> str:
        agreement = await self._agreement(clerk, fields)
        users = [one for one in agreement["designated_users"] if one["state"] not in {"revoked", "ended"}]
        if not users:
            raise Malformed("This agreement names nobody who could be authorised.")
        number = _number(fields.get("user", ""))
        user = next((one for one in users if one["number"] == number), users[0])
        kind = next((one.kind.value for one in _authorising(clerk) if one.number == fields.get("form")), "")
        address = f"/desk/agreements/{agreement['reference']}/users/{user['number']}/authorisations/new"
        return (
            f"{address}?item={known_as}{f'&kind={kind}' if kind else ''}&page={max(_number(fields.get('page', '')), 1)}"
        )

    async def _misdirect(self, clerk: Clerk, known_as: str, fields: Mapping[str, str]) -> str:
        await self.desk.enact(clerk, "misdirect_item", item=known_as, reason=fields.get("reason", ""))
        return f"{PATH}?said=misdirected&item={known_as}"

    async def _discard(self, clerk: Clerk, known_as: str, _fields: Mapping[str, str]) -> str:
        await self.desk.enact(clerk, "discard_item", item=known_as)
        return f"{PATH}?said=discarded&item={known_as}"

    async def _agreement(self, clerk: Clerk, fields: Mapping[str, str]) -> Listed:
        reference = fields.get("agreement", "").strip().upper()
        found = await self.desk.look(clerk, lambda rows: rows.agreement(reference))
        return self.desk.mine(clerk, found)

    async def _page(
        self,
        request: Request,
        clerk: Clerk,
        *,
        problems: Mapping[str, str] | None = None,
        typed: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        query = request.query_params
        section = _number(query.get("section", ""), 1)
        item = await self.items.open(clerk, request.path_params["item"], section, _number(query.get("from", "")))
        return self.desk.pages.page(
            request,
            "desk_item.html",
            clerk.visitor,
            status=status,
            headers=WITH_PICTURE,
            item=item,
            is_mine=item.claim is not None and item.claim.person_id == clerk.visitor.person.id,
            asks_in=await self.desk.database.read(self._writable, clerk, item),
            authorising=_authorising(clerk),
            reasons=REASONS,
            letters=list(Reason) if item.fax is not None else [],
            languages=language_names(clerk.programme.languages),
            problems=problems or {},
            typed=typed or {},
            now_us=clerk.now_us,
            said=query.get("said", ""),
            form_token=clerk.form_token,
        )

    def _writable(self, connection: Connection, clerk: Clerk, item: Item) -> str:
        """Return the case that is proposed, where the clerk may write in it to ask for what is missing; else ""."""
        proposed = item.row.proposed if item.row is not None else None
        found = case_by_reference(connection, parse(proposed)) if proposed else None
        if found is None or not found.is_open:
            return ""
        place = standing(connection, self.desk.authority, found.id, clerk.visitor.person.id, clerk.now_us)
        return str(found.reference) if place is not None and place.may(Verb.WRITE) else ""


def _arranged(leaves: Leaves, do: str, page: int) -> tuple[list[list[int]], dict[int, int], int]:
    """Return sections and turns after an act, and which section to look at then."""
    sections, turns = leaves.sections, dict(leaves.turns)
    at = next((number for number, one in enumerate(sections) if page in one), 0)
    if do == "turn" and 1 <= page <= len(leaves.pages):
        turns[page] = (leaves.pages[page - 1].turn + _QUARTER) % _ROUND
    elif do == "split" and sections and page in sections[at][1:]:
        cut = sections[at].index(page)
        sections[at : at + 1] = [sections[at][:cut], sections[at][cut:]]
        at += 1
    elif do == "merge" and at > 0:
        sections[at - 1 : at + 1] = [sorted(sections[at - 1] + sections[at])]
        at -= 1
    else:
        raise Malformed("There is no such page to do this with.")
    return sections, turns, at + 1


def _authorising(clerk: Clerk) -> list[Form]:
    return [form for form in clerk.programme.forms if form.kind.value.startswith("authorisation")]


def _number(text: str, otherwise: int = 0) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else otherwise
