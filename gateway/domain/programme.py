"""A programme: an agency's service run here, as data. The code knows agreement, authorisation and designated user;
which paper gives which right for how long, and in which words people are told, is said by the programme's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.domain.layout import Layouts
from gateway.domain.notice import NoticeKind
from gateway.domain.paper import FormField
from gateway.domain.rights import Right
from gateway.domain.timing import Timing


class FormKind(StrEnum):
    """What a form is to the gateway, whatever number is printed on it."""

    CONSENT = "consent"
    AUTHORISATION_REPRESENTATIVE = "authorisation-representative"
    AUTHORISATION_SEE = "authorisation-see"
    APPLICATION = "application"


class ValidityRule(StrEnum):
    """How long a right lasts that rests on a form."""

    UNTIL_ENDED = "until-ended"
    YEARS_AFTER_RECEIPT = "years-after-receipt"


@dataclass(frozen=True, slots=True)
class Validity:
    """The rule and, for years after receipt, how many."""

    rule: ValidityRule
    years: int = 0

    def last_day(self, received: date, stated: date | None = None) -> date | None:
        """Return the last day (inclusive, in the programme's zone) of the right, or None for one without an end.

        Years count from 31 December of the year of receipt; a day the form itself states ends it earlier, never later.
        """
        if self.rule is ValidityRule.UNTIL_ENDED:
            return stated
        limit = date(received.year + self.years, 12, 31)
        return min(limit, stated) if stated else limit


@dataclass(frozen=True, slots=True)
class Form:
    """One paper form of the programme: what is printed on it and what it gives.

    One that revokes earlier ones of its kind does so when it is received, unless copies of those come with it.
    """

    kind: FormKind
    number: str
    title: str
    right: Right | None
    validity: Validity
    fields: tuple[FormField, ...]
    revokes_earlier: bool = False

    def field(self, key: str) -> FormField | None:
        """Return a field by its key."""
        return next((one for one in self.fields if one.key == key), None)


@dataclass(frozen=True, slots=True)
class ProgrammeRole:
    """A place that a designated user can have, the right it has, and the kind of form it needs beside the agreement."""

    key: str
    title: str
    right: Right
    needs: FormKind | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of the programme: designated users of one agreement, days of notice for ending it."""

    designated_users: int
    notice_days: int


@dataclass(frozen=True, slots=True)
class EnrolmentRules:
    """How people are enrolled: verbs that two people do, hours an invitation's code is good, what a meeting looks at.

    `new_meeting` is true where a person who was authenticated before is met again for a further agreement.
    """

    two_people: frozenset[str] = frozenset()
    code_hours: int = 48
    new_meeting: bool = False
    documents: tuple[str, ...] = ("passport", "identity-card", "driving-licence")
    checklist: tuple[str, ...] = ("live-picture", "face-matches", "name-matches", "document-in-date", "role-confirmed")


@dataclass(frozen=True, slots=True)
class Recertification:
    """How long access holds until somebody confirms it, in microseconds, and a role that may do more; 0: for good."""

    access_us: int = 0
    privileged_us: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """A record series: how long its records are kept after their case is closed."""

    key: str
    title: str
    keep_years: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person agrees to before the first message, as plain paragraphs."""

    version: str
    service: str
    conduct: str


@dataclass(frozen=True, slots=True)
class Wording:
    """How the programme speaks in one language. `sender` and `agency` stand in plain mail and name no kind of case, nor
    does `meeting`, the title of an authentication meeting in calendars.
    """

    agency: str
    programme: str
    sender: str
    telephone: str
    hours: str
    ask: str
    terms: Terms
    meeting: str = ""


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme, checked when it was loaded: `wording` has every language of `languages`, the first is the default.

    `ask` is one ASCII line for refusals: whom to ask. `fax` is the line that forms come by, or None. A notice of a kind
    that is not among `notices` is never sent. `layouts` say how forms look, so that pages are recognised.
    `recertification` is the site's own.
    """

    key: str
    series: str
    time_zone: str
    languages: tuple[str, ...]
    ask: str
    fax: str | None
    forms: tuple[Form, ...]
    roles: tuple[ProgrammeRole, ...]
    limits: Limits
    records: tuple[Series, ...]
    notices: frozenset[NoticeKind]
    screening: tuple[str, ...]
    wording: Mapping[str, Wording]
    timing: Timing = field(default_factory=Timing)
    enrolment: EnrolmentRules = EnrolmentRules()
    layouts: Layouts = field(default_factory=Layouts)
    recertification: Recertification = Recertification()

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the programme's dates and spoken times are in."""
        return ZoneInfo(self.time_zone)

    @property
    def terms_version(self) -> str:
        """The version of the terms, which is one in every language."""
        return self.wording[self.languages[0]].terms.version

    def language_for(self, wanted: str) -> str:
        """Return `wanted` when the programme speaks it, else its first language."""
        return wanted if wanted in self.languages else self.languages[0]

    def words(self, language: str) -> Wording:
        """Return the wording in a language of the programme, or in its first."""
        return self.wording[self.language_for(language)]

    def form(self, kind: FormKind) -> Form | None:
        """Return the first form of a kind, or None when the programme has none."""
        return next((form for form in self.forms if form.kind is kind), None)

    def role(self, key: str) -> ProgrammeRole | None:
        """Return a role by its key."""
        return next((role for role in self.roles if role.key == key), None)
