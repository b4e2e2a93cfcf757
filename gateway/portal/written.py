"""A written message before it is one: the form as a page shows it, and where it goes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.portal.uploads import UploadLimits
from gateway.portal.vault import Found
from gateway.portal.visitors import Visitor
from gateway.store.cases import Case


@dataclass(frozen=True, slots=True)
class WriteForm:
    """The form as a page shows it. `submission_key` is the random word that makes a form sent twice one message.

    `is_kept`: it was typed before a sign-in that has ended. `terms` are those to be agreed to before it can be sent.
    `asks_for_pages`: an employee asks the sender of a fax for what is missing of it, in words that the page has ready.
    """

    case: Case
    answers: str
    subject: str
    text: str
    limits: UploadLimits
    form_token: str
    problems: Mapping[str, str] = field(default_factory=dict)
    had_files: bool = False
    is_kept: bool = False
    terms: str = ""
    asks_for_pages: bool = False
    submission_key: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a written message goes: a case of the visitor's, and the message it answers, if any.

    `terms` is the version that the visitor has still to agree to, where they changed while they wrote; else empty;
    `language` is that in which they are read.
    """

    visitor: Visitor
    case: Case
    answered: Found | None
    terms: str = ""
    language: str = ""
