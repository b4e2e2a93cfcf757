"""Address lists and message ids, in linear time (RFC 5322 sections 3.4 and 3.6.4, obsolete forms of section 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.domain.summary import Mailbox
from gateway.mime.charsets import decode_octets
from gateway.mime.words import decode_words, unfold

_TOKENS = re.compile(
    rb"(?P<blank>[ \t]++)|(?P<word>=\?[^?\s]{1,60}\?[BbQq]\?[^?\s]*+\?=)"
    rb"|(?P<quoted>\"(?:[^\"\\]++|\\.)*+\\?\"?)|(?P<literal>\[[^\[\]\\]*+\])"
    rb"|(?P<atom>[^ \t\"()<>@,;:\[\]]++)|(?P<mark>.)",
    re.DOTALL,
)
# What nearly every address list is made of, `name words <local@domain>` in plain ASCII: its reading needs no tokens.
_ATEXT = rb"[A-Za-z0-9!#$%&'*+/^_`{|}~-]"
_PLAIN = re.compile(rb" ?(?:(%s++(?: %s++)*+) )?<(%s++(?:\.%s++)*+@%s++(?:\.%s++)*+)>" % ((_ATEXT,) * 6))
_COMMENT_MARK = re.compile(rb"\\.|[()]", re.DOTALL)
# One id after the colon and a blank, as nearly every Message-ID stands.
_PLAIN_ID = re.compile(rb" <[!-;=?-~]{1,998}>")
_MESSAGE_ID = re.compile(rb"<([^<>\x00-\x08\x0a-\x1f\x7f]{1,998})>")


@dataclass(slots=True)
class _Draft:
    """A mailbox being read. `words`: what stands outside of angle brackets; `inside`: what stands within."""

    words: list[bytes] = field(default_factory=list)
    inside: list[bytes] | None = None
    after: list[bytes] = field(default_factory=list)
    comments: list[bytes] = field(default_factory=list)
    is_open: bool = False

    def add(self, token: bytes) -> None:
        if self.inside is None:
            self.words.append(token)
        elif self.is_open:
            self.inside.append(token)
        else:
            self.after.append(token)

    def mailbox(self) -> Mailbox | None:
        if self.inside is None:
            address = _joined(self.words)
            name = b" ".join(self.comments)
        else:
            # RFC 5322 section 4.4: a route (@one,@two:) may stand before the address and is to be ignored.
            address = _joined(_without_route(self.inside))
            if self.is_open:
                address = f"<{address}"
            if _joined(self.after):
                address = " ".join((address, _joined(self.after)))
            name = _phrase(self.words) or b" ".join(self.comments)
        if not address and self.inside is None:
            return None
        return Mailbox(" ".join(decode_words(name).split()), address)


def addresses(value: bytes) -> tuple[Mailbox, ...]:
    """The mailboxes of a raw From, To, Cc, … value, members of groups included, in their order. Never raises.

    A name is decoded; an address is as written, without comments and blanks. What is not one plain address never hides
    a second one: it keeps all its pieces, so that it equals no address anybody has.
    """
    plain = [_PLAIN.fullmatch(piece) for piece in value.split(b",")]
    if None not in plain:
        return tuple(Mailbox((one[1] or b"").decode("ascii"), one[2].decode("ascii")) for one in plain if one)
    return _read_slowly(value)


def message_ids(value: bytes) -> tuple[str, ...]:
    """The `<…>` ids of a raw Message-ID, In-Reply-To or References value, with their brackets, folds taken out."""
    if _PLAIN_ID.fullmatch(value):
        return (value[1:].decode("ascii"),)
    return tuple(
        decode_octets(b"<" + b"".join(found[1].split()) + b">") for found in _MESSAGE_ID.finditer(unfold(value))
    )


def _read_slowly(value: bytes) -> tuple[Mailbox, ...]:
    found: list[Mailbox] = []
    draft = _Draft()
    for kind, token in _tokens(unfold(value)):
        if kind == "comment":
            draft.comments.append(token)
        elif token == b"<" and not draft.is_open and draft.inside is None:
            draft.inside, draft.is_open = [], True
        elif token == b">" and draft.is_open:
            draft.is_open = False
        elif token == b":" and draft.inside is None:
            draft = _Draft()  # what stood before is a group's name
        elif token in (b",", b";") and not draft.is_open:
            _close(draft, found)
            draft = _Draft()
        else:
            draft.add(token)
    _close(draft, found)
    return tuple(found)


def _close(draft: _Draft, found: list[Mailbox]) -> None:
    mailbox = draft.mailbox()
    if mailbox is not None:
        found.append(mailbox)


def _tokens(line: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(line):
        match = _TOKENS.match(line, at)
        assert match is not None  # the last branch matches any octet
        at = match.end()
        if match[0] == b"(":
            start, at = at, _end_of_comment(line, at)
            yield "comment", line[start : at - 1]
        else:
            yield match.lastgroup or "mark", match[0]


def _end_of_comment(line: bytes, at: int) -> int:
    """The offset behind the comment that was opened before `at`; one that is never closed ends with the line."""
    depth = 1
    while depth:
        mark = _COMMENT_MARK.search(line, at)
        if mark is None:
            return len(line) + 1
        at = mark.end()
        depth += {b"(": 1, b")": -1}.get(mark[0], 0)
    return at


def _without_route(tokens: list[bytes]) -> list[bytes]:
    written = [token for token in tokens if token.strip(b" \t")]
    if b":" in tokens and written[0] == b"@":
        return tokens[tokens.index(b":") + 1 :]
    return tokens


def _joined(tokens: list[bytes]) -> str:
    """An address without blanks around its dots and at sign; a blank between two words is kept: it is no address."""
    text = b"".join(b" " if token.isspace() else token for token in tokens).strip(b" ")
    text = re.sub(rb" ?([.@]) ?", rb"\1", text)
    return "".join(letter if letter.isprintable() else " " for letter in decode_octets(text))


def _phrase(tokens: list[bytes]) -> bytes:
    """A display name as unstructured text: quoted strings without their quotes."""
    return b"".join(_unquoted(token) if token.startswith(b'"') else token for token in tokens).strip(b" \t")


def _unquoted(token: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", token[1:].removesuffix(b'"'), flags=re.DOTALL)
