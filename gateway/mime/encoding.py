"""Text into header fields and bodies, valid by construction (RFC 2045, 2047, 2231, 5322)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

from gateway.domain.summary import Mailbox

CRLF = b"\r\n"
MAX_LINE = 76
_WORD_OCTETS = 42  # an encoded word of base64 with its frame stays under 75 octets (RFC 2047 section 2)
_SECTION_OCTETS = 50
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOM_TEXT = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*\Z")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+\Z")
_ATTRIBUTE_OCTETS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")


def plain_line(text: str) -> str:
    """Text fit for one header line: what could end the line, or is no character, is a blank."""
    return _CONTROLS.sub(" ", text).strip()


def field(name: str, tokens: Iterable[str]) -> bytes:
    """One field, folded between its tokens so that no line is longer than it must be."""
    lines = [f"{name}:"]
    for token in tokens:
        if len(lines[-1]) + 1 + len(token.encode()) > MAX_LINE and lines[-1].strip() != f"{name}:":
            lines.append("")
        lines[-1] += " " + token
    return "\r\n".join(lines).encode() + CRLF


def unstructured(text: str) -> list[str]:
    """Tokens of an unstructured field: words of ASCII as they are, all as encoded words when one is not ASCII."""
    text = plain_line(text)
    if text.isascii() and "=?" not in text and max(map(len, text.split(" ")), default=0) < 900:
        return text.split(" ")
    return list(_encoded_words(text))


def mailboxes(those: Iterable[Mailbox]) -> list[str]:
    """Tokens of an address list. An address that is no address (blank, control or angle bracket in it) is left out."""
    found = [_mailbox(mailbox) for mailbox in those if _is_address(mailbox.address)]
    return [token for tokens in found[:-1] for token in (*tokens[:-1], tokens[-1] + ",")] + (found[-1] if found else [])


def parameter(name: str, value: str) -> list[str]:
    """Tokens of one MIME parameter: quoted when it is ASCII and short, else in sections of RFC 2231."""
    value = plain_line(value)
    if value.isascii() and len(value) <= 60:
        if _TOKEN.match(value):
            return [f"{name}={value}"]
        return [f'{name}="{_quoted(value)}"']
    return _sections(name, value)


def parameters(tokens: list[list[str]]) -> list[str]:
    """Tokens of several parameters with the semicolons between them."""
    flat = [token for group in tokens for token in group]
    return [token + ";" for token in flat[:-1]] + flat[-1:]


def quoted_printable(text: str) -> bytes:
    """Text as quoted-printable UTF-8 with CRLF line ends, the last line ended."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    octets = "".join(line + "\r\n" for line in lines).encode("utf-8", "replace")
    return binascii.b2a_qp(octets, istext=True)


def base64_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Base64 in lines of 76 with CRLF, made as the octets come; what is held is less than one line."""
    line = 57  # octets that 76 characters of base64 carry
    held = b""
    for chunk in chunks:
        held += chunk
        whole = len(held) - len(held) % line
        if whole:
            yield b"".join(
                binascii.b2a_base64(held[at : at + line], newline=False) + CRLF for at in range(0, whole, line)
            )
            held = held[whole:]
    if held:
        yield binascii.b2a_base64(held, newline=False) + CRLF


def _mailbox(mailbox: Mailbox) -> list[str]:
    name = plain_line(mailbox.name)
    if not name:
        return [mailbox.address]
    if not name.isascii() or "=?" in name:
        return [*_encoded_words(name), f"<{mailbox.address}>"]
    if _ATOM_TEXT.match(name):
        return [*name.split(), f"<{mailbox.address}>"]
    return [f'"{_quoted(name)}"', f"<{mailbox.address}>"]


def _is_address(address: str) -> bool:
    return bool(address) and not re.search(r"[\s<>,;\x00-\x1f\x7f]", address)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _encoded_words(text: str) -> Iterator[str]:
    """Base64 words that each hold whole characters."""
    run = b""
    for letter in text:
        octets = letter.encode("utf-8")
        if len(run) + len(octets) > _WORD_OCTETS:
            yield _encoded_word(run)
            run = b""
        run += octets
    if run:
        yield _encoded_word(run)


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(octets, newline=False).decode('ascii')}?="


def _sections(name: str, value: str) -> list[str]:
    escaped = [chr(octet) if octet in _ATTRIBUTE_OCTETS else f"%{octet:02X}" for octet in value.encode("utf-8")]
    sections = [""]
    for piece in escaped:
        if len(sections[-1]) + len(piece) > _SECTION_OCTETS:
            sections.append("")
        sections[-1] += piece
    if len(sections) == 1:
        return [f"{name}*=utf-8''{sections[0]}"]
    first = f"{name}*0*=utf-8''{sections[0]}"
    return [first, *(f"{name}*{number}*={text}" for number, text in enumerate(sections[1:], start=1))]
