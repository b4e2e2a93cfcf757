"""What a person reads of a mail, a page or a row, for tests that look for words which must not be there.

Short words and few digits stand in signatures, ids, tokens, references and ports by chance: of three letters one in
260,000 places of base64, one in 4,096 of hex, and a run of the suite has many thousand such places. So a test that
looks for a word of less than eight letters looks at what is `said`, never at the octets.
"""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from gateway.domain.reference import ALPHABET

RANDOM = re.compile(
    r"dkim-signature|arc-.*|authentication-results|message-id|in-reply-to|references|content-type|content-id"
    r"|content-transfer-encoding|received|return-path|thread-index|.*-message-id|.*-envelope-id",
    re.IGNORECASE,
)
TOKEN = re.compile(r"(?=[A-Za-z+/=_-]*[0-9])[A-Za-z0-9+/=_-]{20,}")
"""A word that nobody writes: ids of 32 hex digits, tokens and keys in base64, local parts with a MAC."""
REFERENCE = re.compile(rf"\b(?:T-)?[A-Z]{{1,4}}-[{ALPHABET}]{{4}}(?:-[{ALPHABET}]{{4}})?\b", re.IGNORECASE)

PORT = re.compile(r"\b(localhost|127\.0\.0\.1):[0-9]{1,5}\b")
"""The port of a test's own server, which is another one each time."""


def said(text: str) -> str:
    """Return a text without its tokens, ids, references and ports."""
    return REFERENCE.sub(" ", TOKEN.sub(" ", PORT.sub(r"\1", text)))


def said_in(octets: bytes) -> str:
    """Return what a mail says: its header fields, names of files and texts, decoded, of every part; nothing random."""
    mail = message_from_bytes(octets, policy=default)
    assert isinstance(mail, EmailMessage)
    told: list[str] = []
    for part in mail.walk():
        told += [f"{name}: {value}" for name, value in part.items() if not RANDOM.fullmatch(name)]
        told.append(part.get_filename() or "")
        if part.get_content_maintype() == "text":
            told.append(part.get_content())
    return said("\n".join(told))
