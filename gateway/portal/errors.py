"""Errors → HTTP, one complete table. What no row foresees is an incident: an id for the person, the rest for the log.

Absent and forbidden are one answer. An error's own text never reaches a peer: a page or a problem document (RFC 9457)
speaks in the words of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException

from gateway.domain.errors import (
    AuthenticatorUnavailable,
    ConfigError,
    GatewayError,
    KeyholderUnavailable,
    Malformed,
    Moved,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    RateExceeded,
    Refused,
    ScreeningUnavailable,
    StoreFull,
    StoreUnavailable,
    Tampered,
    TaxpayerData,
    TooLarge,
    Unavailable,
    UnknownRecipient,
    Unscreenable,
)


class CrossSite(Refused):
    """A form that did not come from a page of ours."""


class Misdirected(Refused):
    """A request for a host that is not this portal."""


class TermsWanted(Refused):
    """Something that is shown only to who has agreed to the terms in force."""


class AccessEnded(Refused):
    """The right to what is being sent has just ended."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, kind (the word by which pages and problem documents know it), title, and seconds to wait if any."""

    status: int
    kind: str
    title: str
    retry_after: int | None = None
    is_incident: bool = False


ABSENT = Answer(404, "absent", "There is nothing here for you")
SIGNED_OUT = Answer(401, "signed-out", "Please sign in")
WRONG_METHOD = Answer(405, "wrong-method", "This address does not take that kind of request")
MALFORMED = Answer(400, "malformed", "The request could not be read")
INCIDENT = Answer(500, "incident", "Something went wrong on our side", is_incident=True)
_AWAY = Answer(503, "away", "Part of this service is not available", 30)

TABLE: dict[type[Exception], Answer] = {
    CrossSite: Answer(403, "cross-site", "The form was too old or came from elsewhere"),
    Misdirected: Answer(421, "misdirected", "This is not the address of the portal"),
    AccessEnded: ABSENT,
    TermsWanted: Answer(403, "terms", "Please read and agree to the terms first"),
    NotAuthenticated: SIGNED_OUT,
    NotAllowed: ABSENT,
    UnknownRecipient: ABSENT,
    Malformed: MALFORMED,
    Moved: Answer(409, "moved", "Somebody else was here first"),
    TooLarge: Answer(413, "too-large", "That is more than can be taken"),
    TaxpayerData: Answer(422, "refused", "The request was refused"),
    Unscreenable: Answer(422, "refused", "The request was refused"),
    Refused: Answer(422, "refused", "The request was refused"),
    StoreFull: Answer(503, "full", "Nothing more can be taken at the moment", 300),
    StoreUnavailable: _AWAY,
    ScreeningUnavailable: _AWAY,
    KeyholderUnavailable: _AWAY,
    AuthenticatorUnavailable: _AWAY,
    Overloaded: Answer(503, "busy", "The portal is very busy", 15),
    RateExceeded: Answer(429, "too-fast", "That was a lot in a short time", 60),
    Unavailable: _AWAY,
    Tampered: INCIDENT,
    ConfigError: INCIDENT,
    GatewayError: INCIDENT,
}


def answer_for(problem: BaseException) -> Answer:
    """Return the row of an exception: that of its nearest class in the table, else an incident."""
    if isinstance(problem, HTTPException):
        return {404: ABSENT, 405: WRONG_METHOD}.get(problem.status_code, MALFORMED)
    for kind in type(problem).__mro__:
        if kind in TABLE:
            return TABLE[kind]
    return INCIDENT
