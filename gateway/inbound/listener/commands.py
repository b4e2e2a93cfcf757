"""The arguments of MAIL and RCPT, read strictly (RFC 5321 section 4.1.1, RFC 1870, 3461, 4954, 6152, 6531).

Every fault raises BadCommand with its precise reply, and no input raises anything else. Source routes are dropped
(RFC 5321 appendix C), quoted local parts are brought to their shortest form (section 4.1.2: strings that differ in
quoting only are one), address literals are not served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Literal, NoReturn, TypeVar

from gateway.domain.reply import SmtpReply
from gateway.inbound.listener.seam import MailParameters, RecipientParameters
from gateway.inbound.replies import BAD_CHUNK, BadCommand

MAX_LOCAL: Final = 64
MAX_DOMAIN: Final = 255
MAX_LABEL: Final = 63
MAX_PATH: Final = 254
MAX_ENVID: Final = 100
MAX_ORCPT: Final = 500
_REMEMBERED: Final = 1024
"""Arguments whose reading is kept: a mail tool says the same ones for each of its messages."""

_T = TypeVar("_T")

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]+"
_DOT_STRING = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~])*"'
_LABEL = r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9\-\x80-\U0010ffff]*[A-Za-z0-9\x80-\U0010ffff])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_PATH = re.compile(
    rf"<(?:(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?(?P<local>{_DOT_STRING}|{_QUOTED})@(?P<domain>{_DOMAIN}|\[[!-Z^-~]*\]))>"
)
_ATOMS_ONLY = re.compile(rf"{_DOT_STRING}\Z")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?\Z")
_XTEXT = re.compile(r"(?:[!-*,-<>-~\x80-\U0010ffff]|\+(?:[2-6][0-9A-F]|7[0-9A-E]))+\Z")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*/?^_`{|}~.-]+\Z")
_CHUNK = re.compile(rb"([0-9]{1,20})( LAST)? *\Z", re.IGNORECASE)
_SIZE = re.compile(r"[0-9]{1,20}\Z")
_NOTIFY: Final = frozenset({"NEVER", "SUCCESS", "FAILURE", "DELAY"})
_MAIL_KEYWORDS: Final = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"})
_RCPT_KEYWORDS: Final = frozenset({"NOTIFY", "ORCPT"})
_MAY_BE_UTF8: Final = frozenset({"AUTH", "ORCPT"})


@lru_cache(_REMEMBERED)
def parse_mail(argument: bytes) -> MailParameters:
    """Read what follows `MAIL `. Raises BadCommand."""
    path, rest = _split(argument, "FROM:", "5.1.7", "MAIL FROM:<address>")
    values = _parameters(rest, _MAIL_KEYWORDS)
    smtputf8 = "SMTPUTF8" in values
    if values.get("SMTPUTF8"):
        _refuse(501, "5.5.4", "SMTPUTF8 takes no value")
    sender = "" if path == "<>" else _address(path, "5.1.7", smtputf8=smtputf8)
    return MailParameters(
        sender=sender,
        size=_valued(values, "SIZE", _size),
        body=_valued(values, "BODY", _body) or "7BIT",
        smtputf8=smtputf8,
        ret=_valued(values, "RET", _ret),
        envid=_valued(values, "ENVID", _envid),
        auth=_valued(values, "AUTH", lambda value: _xtext(value, "AUTH", smtputf8=smtputf8)),
    )


@lru_cache(_REMEMBERED)
def parse_rcpt(argument: bytes, *, smtputf8: bool = False) -> RecipientParameters:
    """Read what follows `RCPT `; `smtputf8` is that of the transaction's MAIL. Raises BadCommand."""
    path, rest = _split(argument, "TO:", "5.1.3", "RCPT TO:<address>")
    values = _parameters(rest, _RCPT_KEYWORDS)
    address = path[1:-1] if path.lower() == "<postmaster>" else _address(path, "5.1.3", smtputf8=smtputf8)
    return RecipientParameters(
        address=address,
        notify=_valued(values, "NOTIFY", _notify),
        orcpt=_valued(values, "ORCPT", lambda value: _orcpt(value, smtputf8=smtputf8)),
    )


def parse_chunk(argument: bytes) -> tuple[int, bool]:
    """Read what follows `BDAT ` (RFC 3030): a size in octets, and whether this chunk is the last. Raises BadCommand."""
    match = _CHUNK.match(argument)
    if match is None:
        raise BadCommand(BAD_CHUNK)
    return int(match[1]), match[2] is not None


def _split(argument: bytes, keyword: str, enhanced: str, syntax: str) -> tuple[str, str]:
    """Part the path, with its angle brackets, from the parameters, each led by one space."""
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        _refuse(501, "5.5.2", "a command is ASCII, or UTF-8 where SMTPUTF8 is given")
    if text[: len(keyword)].upper() != keyword or text[len(keyword) : len(keyword) + 1] != "<":
        _refuse(501, "5.5.2", f"syntax: {syntax}, without spaces before the bracket")
    text = text[len(keyword) :].rstrip(" ")
    if text[:2] == "<>":
        path = "<>"
    elif text[:12].lower() == "<postmaster>":
        path = text[:12]
    else:
        match = _PATH.match(text)
        if match is None:
            _refuse(553, enhanced, "malformed address; the form is <name@domain>")
        path = match[0]
    rest = text[len(path) :]
    if rest and rest[0] != " ":
        _refuse(501, "5.5.2", f"syntax: {syntax}, then parameters each led by one space")
    return path, rest


def _address(path: str, enhanced: str, *, smtputf8: bool) -> str:
    match = _PATH.match(path)
    if match is None:
        _refuse(553, enhanced, "an address with a domain is needed here")
    local, domain = match["local"], match["domain"]
    if domain[0] == "[":
        _refuse(553, enhanced, "address literals are not served here; use a domain name")
    if not path.isascii():
        if not smtputf8:
            _refuse(553, "5.6.7", "an address that is not ASCII needs SMTPUTF8 on MAIL")
        if not path.isprintable():
            _refuse(553, enhanced, "the address has characters that cannot be shown")
    if local[0] == '"':
        local = _shortest(local)
    if max(map(_octets, domain.split("."))) > MAX_LABEL or _octets(domain) > MAX_DOMAIN or _octets(local) > MAX_LOCAL:
        _refuse(553, enhanced, "the address is too long")
    address = f"{local}@{domain}"
    if _octets(address) > MAX_PATH:
        _refuse(553, enhanced, "the address is too long")
    return address


def _shortest(quoted: str) -> str:
    content = re.sub(r"\\(.)", r"\1", quoted[1:-1])
    if _ATOMS_ONLY.match(content):
        return content
    return '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'


def _octets(text: str) -> int:
    return len(text.encode())


def _parameters(rest: str, known: frozenset[str]) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for item in rest.split(" ")[1:]:
        match = _PARAMETER.match(item)
        if match is None:
            _refuse(501, "5.5.4", "a parameter has the form KEYWORD or KEYWORD=value, led by one space")
        keyword = match[1].upper()
        if keyword not in known:
            _refuse(555, "5.5.4", "a parameter of this command is not offered here")
        if keyword in values:
            _refuse(555, "5.5.4", f"{keyword} is given twice")
        if not item.isascii() and keyword not in _MAY_BE_UTF8:
            _refuse(501, "5.5.4", f"{keyword} is ASCII")
        values[keyword] = match[2]
    return values


def _valued(values: Mapping[str, str | None], keyword: str, read: Callable[[str], _T]) -> _T | None:
    """Read one parameter's value: None where it is not given."""
    if keyword not in values:
        return None
    value = values[keyword]
    if value is None:
        _refuse(501, "5.5.4", f"{keyword} needs a value")
    return read(value)


def _size(value: str) -> int:
    if not _SIZE.match(value):
        _refuse(501, "5.5.4", "SIZE is a number of octets")
    return int(value)


def _body(value: str) -> Literal["7BIT", "8BITMIME"]:
    if value.upper() not in ("7BIT", "8BITMIME"):
        _refuse(501, "5.5.4", "BODY is 7BIT or 8BITMIME")
    return "7BIT" if value.upper() == "7BIT" else "8BITMIME"


def _ret(value: str) -> str:
    if value.upper() not in ("FULL", "HDRS"):
        _refuse(501, "5.5.4", "RET is FULL or HDRS")
    return value.upper()


def _envid(value: str) -> str:
    if len(value) > MAX_ENVID:
        _refuse(501, "5.5.4", f"ENVID has at most {MAX_ENVID} characters")
    return _xtext(value, "ENVID", smtputf8=False)


def _notify(value: str) -> frozenset[str]:
    words = frozenset(value.upper().split(","))
    if not words <= _NOTIFY or ("NEVER" in words and len(words) > 1):
        _refuse(501, "5.5.4", "NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY")
    return words


def _orcpt(value: str, *, smtputf8: bool) -> str:
    kind, semicolon, address = value.partition(";")
    if not semicolon or not _ADDRESS_TYPE.match(kind) or _octets(value) > MAX_ORCPT:
        _refuse(501, "5.5.4", f"ORCPT has the form type;address and at most {MAX_ORCPT} octets")
    return f"{kind};{_xtext(address, 'ORCPT', smtputf8=smtputf8)}"


def _xtext(value: str, keyword: str, *, smtputf8: bool) -> str:
    """Decode xtext (RFC 3461 section 4) to printable text: ASCII, or any where SMTPUTF8 is given (RFC 6533)."""
    if not _XTEXT.match(value) or not (value.isascii() or smtputf8):
        _refuse(501, "5.5.4", f"{keyword} is not xtext (RFC 3461 section 4)")
    decoded = _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), value)
    if not decoded.isprintable():
        _refuse(501, "5.5.4", f"{keyword} has characters that cannot be shown")
    return decoded


def _refuse(code: int, enhanced: str, text: str) -> NoReturn:
    raise BadCommand(SmtpReply(code, enhanced, text))
