"""Reading a fax mail: which system wrote it, what its rules tell, its documents, and what all that comes to.

In two steps, as a PDF's pages are counted elsewhere: `read_fax`, then `conclude` with what was counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Final

from gateway.domain.clock import to_microseconds
from gateway.domain.fax import MAX_WORD, Document, DocumentKind, Fax, Review, is_clock_odd, reviews_of
from gateway.domain.fax_profile import Field, Profile, Rule
from gateway.domain.partmap import Part
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.fax.profiles import GENERIC, PROFILES
from gateway.mime.fax.tiff import is_tiff, read_tiff
from gateway.mime.fax.times import offset_of, read_time
from gateway.mime.fax.view import FaxView, view_of

BY_DATE: Final = "header-date: the mail's own Date"
_NAMED: Final = re.compile(r"\.(?:tiff?|pdf|ps)\Z", re.IGNORECASE)
_TYPES: Final = frozenset(
    "image/tiff image/tif image/x-tiff image/tiff-fx image/g3fax application/pdf application/x-pdf "
    "application/postscript".split()
)
_RANK: Final = {kind: rank for rank, kind in enumerate(DocumentKind)}
_DRAWN: Final = frozenset({DocumentKind.TIFF, DocumentKind.PDF})
_REPORTS: Final = frozenset({AutomaticKind.DELIVERY_REPORT, AutomaticKind.READ_RECEIPT, AutomaticKind.REPORT})


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule told of a field; `rule` as it is written."""

    value: str
    rule: str


@dataclass(frozen=True, slots=True)
class File:
    """One document with its octets. `digests` are of its pages where they are known; `fault` is why it is not read."""

    document: Document
    octets: bytes = field(repr=False)
    digests: tuple[bytes, ...] = field(default=(), repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FaxMail:
    """What one mail tells. `why` names the rule by which its profile was chosen; `failure` says that nothing came."""

    view: FaxView = field(repr=False)
    profile: Profile
    why: str
    found: Mapping[Field, Found]
    told_us: int | None
    files: tuple[File, ...]
    errors: str
    failure: str


def read_fax(
    octets: bytes,
    profiles: Sequence[Profile] = (),
    *,
    profile: str = "",
    zone: tzinfo | None = None,
    recipients: tuple[str, ...] = (),
) -> FaxMail:
    """Read a mail that a fax source brought. Never raises for what it holds.

    `profiles` are the site's own, asked first; `profile` names the one to use whatever the mail says. Times without a
    zone are in `zone`, else in that of the mail's Date.
    """
    view = view_of(octets, recipients)
    chosen, why = _choose(view, (*profiles, *PROFILES), profile)
    found = {name: hit for name in Field if (hit := _first(view, chosen.rules(name))) is not None}
    files = tuple(_files(view))
    errors = _first(view, chosen.errors)
    told_us, rule = _told(view, found.get(Field.RECEIVED), zone)
    if rule:
        found[Field.RECEIVED] = Found("", rule)
    return FaxMail(
        view=view,
        profile=chosen,
        why=why,
        found=found,
        told_us=told_us,
        files=files,
        errors=errors.rule if errors else "",
        failure="" if files else _failure(view, chosen),
    )


def conclude(mail: FaxMail, files: Sequence[File], arrived_us: int | None = None) -> Fax:
    """Return what a mail comes to; `files` are its own, with the pages that were counted elsewhere.

    `arrived_us` is when the mail came, by a clock that is not its server's.
    """
    claimed = _number(mail.found.get(Field.PAGES))
    documents = _with_copies(files, claimed)
    counts = [one.pages for one in documents if not one.copy_of]
    counted = sum(one or 0 for one in counts) if counts and None not in counts else None
    review = reviews_of(
        documents, claimed, counted, errors=bool(mail.errors), unreadable=any(one.fault for one in files)
    )
    if mail.view.outer.is_over_cap:
        review = (*review, Review.STRUCTURE)
    if is_clock_odd(mail.told_us, arrived_us, counted):
        review = (*review, Review.CLOCK)
    words = {name: mail.found[name].value if name in mail.found else "" for name in Field}
    return Fax(
        profile=mail.profile.name,
        calling=words[Field.CALLING],
        called=words[Field.CALLED],
        station=words[Field.STATION],
        job=words[Field.JOB],
        told_us=mail.told_us,
        pages_claimed=claimed,
        pages_counted=counted,
        review=review,
        documents=documents,
    )


def legible(files: Sequence[File], fax: Fax | None) -> list[tuple[str, bytes]]:
    """Return the documents of a fax whose pages can be drawn, each once, in order: the part's path, its octets."""
    copies = {one.path for one in fax.documents if one.copy_of} if fax else set[str]()
    return [
        (file.document.path, file.octets)
        for file in files
        if file.document.kind in _DRAWN and file.document.path not in copies
    ]


def page_digests(files: Sequence[File], fax: Fax) -> tuple[bytes, ...]:
    """Return the digests of all pages in their order, () where one page's is not known."""
    digests: list[bytes] = []
    for file, document in zip(files, fax.documents, strict=True):
        if document.copy_of:
            continue
        if not file.digests or file.fault:
            return ()
        digests += file.digests
    return tuple(digests)


def _choose(view: FaxView, profiles: Sequence[Profile], wanted: str) -> tuple[Profile, str]:
    if wanted:
        named = [one for one in (*profiles, GENERIC) if one.name == wanted]
        if named:
            return named[0], "the source says so"
    for profile in profiles:
        if (hit := _first(view, profile.when)) is not None:
            return profile, hit.rule
    return GENERIC, "no other knows it"


def _first(view: FaxView, rules: Sequence[Rule]) -> Found | None:
    """Return what the first rule that matches tells."""
    for rule in rules:
        for text in view.texts(rule):
            if (value := rule.find(text)) is not None:
                return Found(_word(value), str(rule))
    return None


def _word(value: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in value[: 4 * MAX_WORD]).split())[:MAX_WORD]


def _told(view: FaxView, found: Found | None, zone: tzinfo | None) -> tuple[int | None, str]:
    """Return when the fax came, as its server tells, and the rule where that is not the one that was found."""
    date = view.outer.field("date")
    if found is not None:
        told = read_time(found.value, zone or (offset_of(date.value) if date else None) or UTC)
        if told is not None:
            return to_microseconds(told), ""
    if view.facts.date is None:
        return None, ""
    return to_microseconds(view.facts.date), BY_DATE


def _failure(view: FaxView, profile: Profile) -> str:
    """Return by which rule a mail without a document tells that nothing was received, "" where none says so."""
    hit = _first(view, (*profile.failed, *GENERIC.failed))
    if hit is not None:
        return hit.rule
    kind = kind_of(view.outer)
    return f"it is a {kind}" if kind in _REPORTS else ""


def _files(view: FaxView) -> Iterator[File]:
    shown = view.inner.best_text().parts
    for part in view.inner.leaves:
        if part in shown or part.media_type.startswith("message/"):
            continue
        octets = view.decoded(part)
        kind = _kind(octets)
        if kind is DocumentKind.UNKNOWN and not _says_document(part):
            continue
        yield _file(part.path, kind, octets)


def _kind(octets: bytes) -> DocumentKind:
    if is_tiff(octets):
        return DocumentKind.TIFF
    if b"%PDF-" in octets[:1024]:
        return DocumentKind.PDF
    return DocumentKind.POSTSCRIPT if octets.startswith((b"%!", b"\x04%!")) else DocumentKind.UNKNOWN


def _says_document(part: Part) -> bool:
    return part.media_type in _TYPES or _NAMED.search(part.filename or "") is not None


def _file(path: str, kind: DocumentKind, octets: bytes) -> File:
    if kind is DocumentKind.TIFF:
        pages = read_tiff(octets)
        return File(Document(path, kind, len(pages.digests)), octets, pages.digests, pages.fault)
    fault = "not what it says" if kind is DocumentKind.UNKNOWN else ""
    return File(Document(path, kind), octets, (), fault)


def _with_copies(files: Sequence[File], claimed: int | None) -> tuple[Document, ...]:
    """Mark what is one document once more: in another form, or with the same pages. What adds up to the number of pages
    that the server told is several documents, not copies.
    """
    if len(files) > 1 and claimed and sum(one.document.pages or 0 for one in files) == claimed:
        return tuple(one.document for one in files)
    firsts: list[File] = []
    copies: dict[str, str] = {}
    for file in sorted(files, key=lambda one: _RANK[one.document.kind]):
        first = next((one for one in firsts if _is_copy(file, one)), None)
        if first is None:
            firsts.append(file)
        else:
            copies[file.document.path] = first.document.path
    return tuple(replace(one.document, copy_of=copies.get(one.document.path, "")) for one in files)


def _is_copy(file: File, first: File) -> bool:
    if file.fault or first.fault:
        return False
    if file.document.kind is first.document.kind:
        return file.octets == first.octets or (bool(file.digests) and file.digests == first.digests)
    return file.document.kind is DocumentKind.POSTSCRIPT or (
        file.document.pages is not None and file.document.pages == first.document.pages
    )


def _number(found: Found | None) -> int | None:
    digits = found.value if found is not None else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 4 else None
