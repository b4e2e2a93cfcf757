"""Writing from the portal: text and files stream from the browser straight into sealed segments.

Nothing is gathered first, neither in memory nor on disk. The fields stand before the files in the form; at the first
file they are judged, so that nothing is taken for a form that would be refused. A form sent twice is one message.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway import maillog
from gateway.casework import correspondence
from gateway.casework.correspondence import Posted, Posting
from gateway.casework.deposit import ComposedDeposit
from gateway.casework.enclosing import wanting
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.confirmation import delay_us
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated, TooLarge
from gateway.domain.rights import Verb
from gateway.domain.summary import Mailbox, Summary
from gateway.failpoints import failpoint
from gateway.keyholder.client import KeyholderClient
from gateway.portal.downloads import RECHECK_SECONDS
from gateway.portal.errors import TermsWanted
from gateway.portal.filenames import clean_name
from gateway.portal.forms import chunks
from gateway.portal.keeping import SUBMISSION_KEY, give_back, kept
from gateway.portal.pages import Pages
from gateway.portal.parcelling import Copies, Gathering, Parcelling, Written
from gateway.portal.terms import agree
from gateway.portal.uploads import Event, Field, FileBegins, FileEnds, FileOctets, FormReader, UploadLimits, boundary_of
from gateway.portal.vault import Found, Vault
from gateway.portal.visitors import Visitor, Visitors
from gateway.portal.written import Target, WriteForm
from gateway.store.blobs import BlobFolder
from gateway.store.cases import case_sealing_key
from gateway.store.database import Database
from gateway.store.people import addresses_of
from gateway.store.sealing import SealingKey

MAX_SUBJECT = 200
_LINE_BREAKS = re.compile(r"\r\n|\r|\n")


class Draft:
    """One form on its way in: fields are gathered, files go into the deposit as they come, and beside it into
    `gathering` where somebody is to have a full copy.
    """

    def __init__(
        self, target: Target, blobs: BlobFolder, limits: UploadLimits, gathering: Gathering | None = None
    ) -> None:
        self.gathering = gathering
        self.fields: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        self.files = 0
        self.deposit = ComposedDeposit(blobs)
        self._target = target
        self._limits = limits
        self._octets = 0
        self._text_is_in = False
        self._in_file = False

    def take(self, events: list[Event]) -> None:
        """Take what the form reader saw; call it in a thread. Raises Malformed, CrossSite, TooLarge, Unavailable."""
        for event in events:
            if isinstance(event, Field):
                self._field(event)
            elif isinstance(event, FileBegins):
                self._begin_file(event)
            elif isinstance(event, FileOctets):
                self._octets_of_file(event.octets)
            elif isinstance(event, FileEnds):
                self._end_file()

    def finish(self) -> None:
        """Judge a form that had no files. Raises CrossSite, Malformed."""
        self._enter_text()

    def abandon(self) -> None:
        """Give it up; nothing stays."""
        self.deposit.abandon()
        if self.gathering is not None:
            self.gathering.close()

    @property
    def is_refused(self) -> bool:
        """True once the fields are judged and something is wrong: nothing that follows can change it."""
        return self._text_is_in and bool(self.problems or self.is_kept)

    @property
    def subject(self) -> str:
        """The subject on one line."""
        return " ".join(self.fields.get("subject", "").split())

    @property
    def text(self) -> str:
        """The text as it was typed."""
        return self.fields.get("text", "")

    @property
    def is_kept(self) -> bool:
        """True for what was typed before a sign-in that has ended: it is shown once more, and not sent."""
        return self.fields.get("kept") == "1"

    @property
    def submission_key(self) -> str:
        """The form's own word."""
        return self.fields.get("submission_key", "")

    def _field(self, field: Field) -> None:
        if self._text_is_in:
            raise Malformed("The form's fields come before its files.")
        self.fields[field.name] = field.value

    def _begin_file(self, begins: FileBegins) -> None:
        self._in_file = False
        if not begins.filename:
            return
        self._enter_text()
        self.files += 1
        if self.files > self._limits.files:
            self.problems.setdefault("files", "too-many")
        if not self.is_refused:
            self._in_file = True
            name = clean_name(begins.filename)
            self.deposit.begin_part(begins.media_type, name)
            if self.gathering is not None:
                self.gathering.begin_file(name, begins.media_type)

    def _octets_of_file(self, octets: bytes) -> None:
        self._octets += len(octets)
        if self._octets > self._limits.octets:
            self.problems.setdefault("files", "too-large")
        if self._in_file and not self.problems:
            self.deposit.write(octets)
            if self.gathering is not None:
                self.gathering.write(octets)

    def _end_file(self) -> None:
        if self._in_file and not self.problems:
            self.deposit.end_part()
        self._in_file = False

    def _enter_text(self) -> None:
        """At the first file or at the end: believe the form, judge its fields, put the text in as the first part."""
        if self._text_is_in:
            return
        if not self.is_kept:
            self._target.visitor.require_form("write", self.fields.get("form_token", ""))
        if not SUBMISSION_KEY.match(self.submission_key):
            raise Malformed("The form could not be read.")
        self._text_is_in = True
        if not self.subject:
            self.problems["subject"] = "missing"
        elif len(self.subject) > MAX_SUBJECT:
            self.problems["subject"] = "too-long"
        if not self.text.strip():
            self.problems["text"] = "missing"
        if self._target.terms and self.fields.get("terms") != self._target.terms:
            self.problems["terms"] = "changed"
        if not self.problems and not self.is_kept:
            self.deposit.begin_part("text/plain")
            self.deposit.write(_LINE_BREAKS.sub("\r\n", self.text).encode("utf-8", "replace"))
            self.deposit.end_part()


@dataclass(frozen=True, slots=True)
class ReplyPages:
    """The pages `/cases/REFERENCE/write` (`?answers=REFERENCE`) and `/messages/REFERENCE/sent`."""

    pages: Pages
    visitors: Visitors
    vault: Vault
    database: Database
    keyholder: KeyholderClient
    blobs: BlobFolder
    authority: Ed25519PublicKey
    deposit_key: bytes
    limits: UploadLimits
    clock: Clock
    wake_notifier: Callable[[], None]
    parcelling: Parcelling | None = None
    recheck_seconds: float = RECHECK_SECONDS

    def routes(self) -> list[Route]:
        """Return this topic's routes."""
        return [
            Route("/cases/{reference}/write", self.show, methods=["GET"]),
            Route("/cases/{reference}/write", self.send, methods=["POST"]),
            Route("/messages/{reference}/sent", self.sent, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """An empty form for a new message in a case, or one with words that ask for a page that is missing."""
        return self._form(request, await self._target(request))

    async def send(self, request: Request) -> Response:
        """Take the form; answer with the page of the message's reference, the same one for a form sent twice.

        What was typed outlasts the session, and terms that change: it is shown again, and sent when that is settled.
        """
        try:
            target = await self._target(request, before_terms=True)
        except NotAuthenticated:
            return await give_back(self.pages, request, self.limits)
        draft = Draft(target, self.blobs, self.limits, await self._gathering(target))
        if int(request.headers.get("content-length", "0")) > self.limits.form_octets:
            draft.problems["files"] = "too-large"
        try:
            await self._read(request, draft)
            if draft.is_refused:
                draft.abandon()
                return self._form(request, target, draft, status=422 if draft.problems else 200)
            if target.terms:
                await agree(self.keyholder, target.visitor, target.terms, target.language)
            posted = await self._post(target, draft)
        except NotAuthenticated:
            draft.abandon()
            return kept(self.pages, request, draft.fields)
        except TooLarge:
            draft.abandon()
            draft.problems["text"] = "too-long"
            return self._form(request, target, draft, status=413)
        except BaseException:
            draft.abandon()
            raise
        return RedirectResponse(f"/messages/{posted.reference}/sent", status_code=303)

    async def sent(self, request: Request) -> Response:
        """Confirm a message with its reference, to its author."""
        visitor = await self.visitors.require(request)
        found = await self.vault.find(visitor, request.path_params["reference"])
        if found.row.author_id != visitor.person.id:
            raise NotAllowed("There is nothing here for you.")
        return self.pages.page(request, "sent.html", visitor, found=found)

    async def _target(self, request: Request, *, before_terms: bool = False) -> Target:
        visitor = await self.visitors.require(request, before_terms=before_terms)
        programme = self.pages.programme_of(visitor)
        terms = programme.terms_version if programme and not visitor.has_agreed else ""
        language = programme.language_for(visitor.person.language) if programme else ""
        if terms and not visitor.agreed_before:
            raise TermsWanted("Please read and agree to the terms first.")
        case, place = await self.vault.case(visitor, request.path_params["reference"])
        if not place.may(Verb.WRITE, is_open=case.is_open):
            raise NotAllowed("There is nothing here for you.")
        answers = request.query_params.get("answers")
        answered = await self._answered(visitor, answers) if answers else None
        if answered and answered.case.id != case.id:
            raise NotAllowed("There is nothing here for you.")
        return Target(visitor, case, answered, terms, language)

    async def _answered(self, visitor: Visitor, reference: str) -> Found | None:
        """Return the message that is answered; None where it was withdrawn while somebody wrote: their words go on."""
        try:
            return await self.vault.find(visitor, reference)
        except NotAllowed:
            await self.vault.find_withdrawn(visitor, reference)
            return None

    async def _read(self, request: Request, draft: Draft) -> None:
        """Take the form as it comes, which is a use of the session. Raises NotAuthenticated once that has ended."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        reader = FormReader(
            boundary_of(request.headers.get("content-type", "")), max_field_octets=self.limits.field_octets
        )
        async for octets in chunks(request):
            await asyncio.to_thread(lambda piece: draft.take(reader.feed(piece)), octets)
            failpoint("portal.upload_part")
            if draft.is_refused:
                return  # the server reads and drops the rest, so that the browser comes to see the answer
            if loop.time() - looked >= self.recheck_seconds:
                await self.visitors.require(request, before_terms=True)
                looked = loop.time()
        reader.finish()
        await asyncio.to_thread(draft.finish)
        await self.visitors.require(request, before_terms=True)

    async def _post(self, target: Target, draft: Draft) -> Posted:
        visitor = target.visitor
        own = await self.database.read(addresses_of, [visitor.person.id], to_microseconds(self.clock()))
        key = await self.database.read(self._sealing_key, target.case.id)
        summary = self._summary(target, draft, own.get(visitor.person.id, [""])[0])
        sealed = await asyncio.to_thread(draft.deposit.seal, summary, key, self.deposit_key)
        copies = await self._copies(target, draft, summary)
        posting = Posting(
            sealed=sealed,
            case_id=target.case.id,
            author_id=visitor.person.id,
            recipients=(),
            parent_id=target.answered.row.id if target.answered else None,
            submission_key=draft.submission_key,
            delay_us=delay_us(visitor.person.delay_minutes, self.pages.site.delay_minutes),
            parcels=copies.parcels,
            uncopied=copies.uncopied,
        )
        failpoint("portal.reply_commit")
        posted = await self.database.run(correspondence.reply, self.authority, posting)
        failpoint("portal.reply_committed")
        if not posted.repeated:
            maillog.deposited(posted.reference, posting.sealed.octets)
            self.wake_notifier()
        return posted

    async def _gathering(self, target: Target) -> Gathering | None:
        """Return what keeps the octets of a reply that somebody of the office is to have whole, else None."""
        if self.parcelling is None or not self.parcelling.permitted or target.visitor.is_employee:
            return None
        now_us = to_microseconds(self.clock())
        try:
            wanted = await self.database.read(
                wanting, self.authority, self.parcelling.permitted, target.case.id, now_us
            )
        except Exception as problem:  # noqa: BLE001 - a copy is never in the way of a reply
            maillog.incident("parcels", problem)
            return None
        return self.parcelling.gathering(wanted)

    async def _copies(self, target: Target, draft: Draft, summary: Summary) -> Copies:
        if self.parcelling is None:
            return Copies()
        written = Written(
            author=summary.author.name,
            address=summary.to[0].address,
            reference=str(target.case.reference),
            at=self.clock(),
            subject=draft.subject,
            text=draft.text,
        )
        return await self.parcelling.copies(draft.gathering, written)

    def _sealing_key(self, connection: Connection, case_id: str) -> SealingKey:
        return case_sealing_key(connection, self.authority, case_id)

    def _summary(self, target: Target, draft: Draft, address: str) -> Summary:
        domain = self.pages.site.domain
        reference = target.case.reference
        return Summary(
            subject=draft.subject,
            author=Mailbox(target.visitor.person.name, address),
            to=(Mailbox(str(reference), f"{reference.local_part}@{domain}"),),
            cc=(),
            bcc=(),
            date_us=to_microseconds(self.clock()),
            message_id=f"<{draft.deposit.id}@{domain}>",
            part_map=draft.deposit.part_map(),
            notes=(),
            salt="",
            digest="",
        )

    def _form(
        self,
        request: Request,
        target: Target,
        draft: Draft | None = None,
        status: int = 200,
    ) -> Response:
        form = WriteForm(
            case=target.case,
            answers=target.answered.row.reference if target.answered else "",
            subject=draft.subject if draft else "",
            text=draft.text if draft else "",
            asks_for_pages=draft is None and target.visitor.is_employee and request.query_params.get("asks") == "pages",
            limits=self.limits,
            form_token=target.visitor.form_token("write"),
            problems=draft.problems if draft else {},
            had_files=bool(draft and draft.files),
            is_kept=bool(draft and draft.is_kept),
            terms=target.terms,
        )
        return self.pages.page(request, "write.html", target.visitor, status=status, form=form)
