"""Which right each route asks for: the reviewed table that tests hold the routes to, request by request.

A page judges by `gateway.domain.rights` itself, where it has found what it is about; this table says what that comes
to, so that no page is added without somebody having said whom it is for. A route that is not here is not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gateway.domain.rights import Verb


class Of(StrEnum):
    """What a verb is asked for."""

    CASE = "a case"
    PROGRAMME = "the programme"
    ONESELF = "oneself"


@dataclass(frozen=True, slots=True)
class Ask:
    """A right that a route asks for."""

    verb: Verb
    of: Of


class Whoever(StrEnum):
    """Routes that ask for no right."""

    ANYBODY = "anybody"
    SIGNED_IN = "whoever is signed in"


_READ = Ask(Verb.READ, Of.CASE)
_WRITE = Ask(Verb.WRITE, Of.CASE)
_WITHDRAW = Ask(Verb.WITHDRAW, Of.CASE)
_ABSENCE = Ask(Verb.NAME_DEPUTY, Of.ONESELF)
_DRAFT = Ask(Verb.PLACE_DRAFT, Of.ONESELF)
_APP_PASSWORDS = Ask(Verb.KEEP_APP_PASSWORDS, Of.ONESELF)
_COPY_KEY = Ask(Verb.KEEP_COPY_KEY, Of.ONESELF)
_OWN = Ask(Verb.KEEP_SIGN_IN, Of.ONESELF)
_ENROL = Ask(Verb.ENROL, Of.PROGRAMME)
_TRAY = Ask(Verb.WORK_TRAY, Of.PROGRAMME)
_ADMINISTER = Ask(Verb.ADMINISTER, Of.PROGRAMME)

ADMISSION: Mapping[str, Ask | Whoever] = MappingProxyType(
    {
        "GET /": Whoever.ANYBODY,
        "GET /signed-out": Whoever.ANYBODY,
        "GET /health": Whoever.ANYBODY,
        "GET /static/{name}": Whoever.ANYBODY,
        "GET /genuine": Whoever.ANYBODY,
        "POST /genuine": Whoever.ANYBODY,
        "GET /refused": Whoever.ANYBODY,
        "POST /refused": Whoever.ANYBODY,
        "GET /use": Whoever.ANYBODY,
        "POST /use": Whoever.ANYBODY,
        "GET /sign-in": Whoever.ANYBODY,
        "POST /sign-in": Whoever.ANYBODY,
        "POST /sign-in/code": Whoever.ANYBODY,
        "GET /first-sign-in": Whoever.ANYBODY,
        "POST /first-sign-in": Whoever.ANYBODY,
        "POST /first-sign-in/password": Whoever.ANYBODY,
        "POST /sign-in/at/{provider}": Whoever.ANYBODY,
        "GET /sign-in/at/{provider}/return": Whoever.ANYBODY,
        "GET /sign-in/at/{provider}/leave": Whoever.ANYBODY,
        "POST /sign-in/at/{provider}/logout": Whoever.ANYBODY,
        "POST /sign-in/at/{provider}/events": Whoever.ANYBODY,
        "GET /account/time-left": Whoever.ANYBODY,
        "POST /account/time-left": Whoever.ANYBODY,
        "GET /terms": Whoever.ANYBODY,
        "POST /terms": Ask(Verb.CONFIRM, Of.ONESELF),
        "GET /account/agreements": Ask(Verb.CONFIRM, Of.ONESELF),
        "POST /account/agreements/{id}/confirm": Ask(Verb.CONFIRM, Of.ONESELF),
        "GET /desk/look": Ask(Verb.STATE_PURPOSE, Of.ONESELF),
        "POST /desk/look": Ask(Verb.STATE_PURPOSE, Of.ONESELF),
        "POST /sign-out": Whoever.SIGNED_IN,
        "GET /cases": Whoever.SIGNED_IN,
        "GET /cases/{reference}": _READ,
        "GET /cases/{reference}/card.vcf": Ask(Verb.TEND, Of.CASE),
        "POST /cases/{reference}/notices/{id}/retry": Ask(Verb.TEND, Of.CASE),
        "GET /cases/{reference}/write": _WRITE,
        "POST /cases/{reference}/write": _WRITE,
        "POST /cases/{reference}/cover-sheet": _WRITE,
        "GET /messages/{reference}": _READ,
        "GET /messages/{reference}/sent": _READ,
        "GET /messages/{reference}/release": _WITHDRAW,
        "POST /messages/{reference}/release": _WITHDRAW,
        "GET /messages/{reference}/withdraw": _WITHDRAW,
        "POST /messages/{reference}/withdraw": _WITHDRAW,
        "GET /messages/{reference}/parts/{path}": _READ,
        "GET /messages/{reference}/parts/{path}/inside/{inner}": _READ,
        "GET /messages/{reference}/received.eml": Ask(Verb.READ_AS_RECEIVED, Of.CASE),
        "GET /messages/{reference}/copy.eml": _READ,
        "GET /drafts/{reference}": _DRAFT,
        "POST /drafts/{reference}": _DRAFT,
        "GET /account/app-passwords": _APP_PASSWORDS,
        "POST /account/app-passwords": _APP_PASSWORDS,
        "POST /account/app-passwords/{id}/revoke": _APP_PASSWORDS,
        "GET /account/full-copy": _COPY_KEY,
        "POST /account/full-copy/key": _COPY_KEY,
        "POST /account/full-copy/look-up": _COPY_KEY,
        "POST /account/full-copy/code": _COPY_KEY,
        "POST /account/full-copy/remove": _COPY_KEY,
        "GET /account/mail-tool": _APP_PASSWORDS,
        "POST /account/mail-tool": _APP_PASSWORDS,
        "GET /account/absence": _ABSENCE,
        "POST /account/absence": _ABSENCE,
        "POST /account/absence/{id}/end": _ABSENCE,
        "GET /account/sign-in": _OWN,
        "GET /account/sign-in/link": _OWN,
        "POST /account/sign-in/link": _OWN,
        "POST /account/sign-in/link/{provider}": _OWN,
        "GET /account/sign-in/passkeys": _OWN,
        "POST /account/sign-in/passkeys": _OWN,
        "POST /account/sign-in/recovery-codes": _OWN,
        "POST /account/sign-in/factors/{id}/revoke": _OWN,
        "POST /account/sign-in/sessions/end": _OWN,
        "GET /account/notices": _OWN,
        "POST /account/notices": _OWN,
        "GET /desk/intake": _TRAY,
        "GET /desk/intake/{item}": _TRAY,
        "POST /desk/intake/{item}/claim": _TRAY,
        "POST /desk/intake/{item}/acts": _TRAY,
        "POST /desk/intake/{item}/pages": _TRAY,
        "POST /desk/intake/{item}/undo": _TRAY,
        "POST /desk/intake/{item}/letter": _TRAY,
        "GET /desk/intake/{item}/enrol": _ENROL,
        "POST /desk/intake/{item}/enrol": _ENROL,
        "GET /desk/agreements": _ENROL,
        "POST /desk/agreements/find": _ENROL,
        "GET /desk/agreements/new": _ENROL,
        "POST /desk/agreements/new": _ENROL,
        "GET /desk/agreements/{reference}": _ENROL,
        "POST /desk/agreements/{reference}/steps": _ENROL,
        "POST /desk/agreements/{reference}/cases": _ENROL,
        "POST /desk/agreements/{reference}/documents": _ENROL,
        "GET /desk/agreements/{reference}/form": _ENROL,
        "POST /desk/agreements/{reference}/form": _ENROL,
        "GET /desk/agreements/{reference}/users/new": _ENROL,
        "POST /desk/agreements/{reference}/users/new": _ENROL,
        "GET /desk/agreements/{reference}/users/{number}": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/steps": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/meeting": _ENROL,
        "GET /desk/agreements/{reference}/users/{number}/meeting.ics": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/outcome": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/code": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/address": _ENROL,
        "GET /desk/agreements/{reference}/users/{number}/authorisations/new": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/authorisations/new": _ENROL,
        "GET /desk/agreements/{reference}/users/{number}/authorisations/{id}": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/authorisations/{id}": _ENROL,
        "GET /desk/agreements/{reference}/users/{number}/authorisations/{id}/revoke": _ENROL,
        "POST /desk/agreements/{reference}/users/{number}/authorisations/{id}/revoke": _ENROL,
        "POST /desk/approvals/{id}": _ENROL,
        "GET /desk/documents/{item}/parts/{path}": _ENROL,
        "GET /desk/report": _ENROL,
        "GET /desk/funnel": _ENROL,
        "GET /desk/notices": _ADMINISTER,
        "GET /desk/notices/frame": _ADMINISTER,
        "POST /desk/notices/sample": _ADMINISTER,
    }
)
"""By method and path. What a page shows beside is less for some: only an author sees that their message was sent."""
