"""Notifications that concern no one: for looking at, and for sending to whoever asks. Each says that it is a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.clock import Clock
from gateway.domain.notice import Notice, NoticeKind, NoticeState
from gateway.domain.programme import Programme
from gateway.domain.reference import Reference
from gateway.domain.specimen import Specimen
from gateway.outbound.templates import Templates

_AHEAD = timedelta(days=14)
_STATES = {
    NoticeKind.DELIVERY_FAILED: NoticeState.ADDRESS_REFUSED,
    NoticeKind.DELIVERY_DELAYED: NoticeState.NO_ANSWER,
    NoticeKind.ACCOUNT_CHANGED: NoticeState.FACTOR_ADDED,
    NoticeKind.MEETING: NoticeState.MEETING_ARRANGED,
    NoticeKind.SUBMISSION_RECEIVED: NoticeState.FAX_LINE_TIME,
    NoticeKind.GUARD_WAITS: NoticeState.GUARD_ANOTHER_CASE,
    NoticeKind.GUARD_ANSWER: NoticeState.GUARD_RELEASED,
    NoticeKind.ABSENCE: NoticeState.DEPUTY_NAMED,
    NoticeKind.CASE_TO_CHOOSE: NoticeState.DRAFT_WAITS,
    NoticeKind.DRAFT_ENDED: NoticeState.DRAFT_ENDED,
}
_ANNOUNCED = frozenset({
    NoticeKind.REMINDER, NoticeKind.NOT_READ, NoticeKind.INVITATION, NoticeKind.MEETING, NoticeKind.ACCESS_ENDING,
    NoticeKind.GUARD_WAITS, NoticeKind.CASE_TO_CHOOSE,
})  # fmt: skip
_TOLD = frozenset({NoticeKind.SUBMISSION_RECEIVED})


def sample_notice(
    kind: NoticeKind, language: str, programme: Programme, *, portal: str | None, environment: str, at: datetime
) -> Notice:
    """Return a notice of invented facts that says so. `portal` is None for one without a link."""
    return Notice(
        kind=kind,
        language=programme.language_for(language),
        reference=Reference(programme.series, "7K2Q", "9F4T", trial=environment != "production"),
        portal=portal,
        at=at,
        environment=environment,
        state=_STATES.get(kind, NoticeState.NONE),
        until=at + _AHEAD if kind in _ANNOUNCED else at if kind in _TOLD else None,
        is_sample=True,
    )


@dataclass(frozen=True, slots=True)
class Samples:
    """Shows each kind in each language, with a site's own templates."""

    templates: Templates
    programmes: Mapping[str, Programme]
    portal: str
    environment: str
    clock: Clock

    def show(self, programme: str, kind: NoticeKind, language: str) -> Specimen:
        """Return one as it will be read. Raises KeyError for a programme or language that is not of this site."""
        told = self.programmes[programme]
        if language not in told.languages:
            raise KeyError(language)
        notice = sample_notice(kind, language, told, portal=self.portal, environment=self.environment, at=self.clock())
        body = self.templates.fill(notice, told)
        return Specimen(told.words(language).sender, body.subject, body.text, body.html)

    def subject(self, programme: str, kind: NoticeKind, language: str) -> str:
        """Return the words of a kind's subject, in the programme's first language where it does not speak this one."""
        return self.templates.subject(kind, self.programmes[programme].language_for(language))
