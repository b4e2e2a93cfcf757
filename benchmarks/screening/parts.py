"""MIME written by hand, octet by octet, so that odd structures are as easy as right ones."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from random import Random

from benchmarks.screening.marks import CLOSE, OPEN, unmarked

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Part:
    """Header fields (complete lines without their ends) and the body as transferred."""

    fields: tuple[str, ...]
    body: bytes

    def render(self) -> bytes:
        return "".join(f"{field}\r\n" for field in self.fields).encode("utf-8", "surrogateescape") + b"\r\n" + self.body


def token(rng: Random, length: int, of: str = LETTERS) -> str:
    return "".join(rng.choices(of, k=length))


def hexadecimal(rng: Random, length: int) -> str:
    return token(rng, length, "0123456789abcdef")


def crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def quoted_printable(octets: bytes, *, column: int = 75) -> bytes:
    """RFC 2045 section 6.7, every line at most `column` + 1 octets."""
    made: list[bytes] = []
    for line in octets.replace(b"\r\n", b"\n").split(b"\n"):
        pieces = [bytes([o]) if (33 <= o <= 126 and o != 61) or o in {9, 32} else b"=%02X" % o for o in line]
        if pieces and pieces[-1] in {b" ", b"\t"}:
            pieces[-1] = b"=%02X" % pieces[-1][0]
        written = b""
        for piece in pieces:
            if len(written) + len(piece) > column:
                made.append(written + b"=\r\n")
                written = b""
            written += piece
        made.append(written + b"\r\n")
    return b"".join(made)[:-2]


def in_base64(octets: bytes) -> bytes:
    text = base64.b64encode(octets)
    return b"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + b"\r\n"


def uuencoded(octets: bytes, name: str) -> str:
    lines = [binascii.b2a_uu(octets[at : at + 45]).decode().rstrip("\n") for at in range(0, len(octets), 45)]
    return f"begin 644 {name}\n" + "\n".join(lines) + "\n`\nend\n"


CHARSETS = {
    "ja": ("utf-8", "iso-2022-jp", "shift_jis", "euc-jp"), "zh": ("utf-8", "gb18030", "gb2312"), "ko": ("utf-8", "euc-kr"),
    "ru": ("utf-8", "koi8-r", "windows-1251"), "pl": ("utf-8", "iso-8859-2", "windows-1250"),
}  # fmt: skip


def charset_for(rng: Random, text: str, language: str) -> str:
    """A charset that people's mailers use for this language and that has all of `text`."""
    wanted = rng.choice(
        CHARSETS.get(language, ("utf-8", "utf-8", "UTF-8", "us-ascii", "iso-8859-1", "windows-1252", "iso-8859-15"))
    )
    for charset in (wanted, "utf-8"):
        try:
            text.encode(charset)
        except UnicodeEncodeError:
            continue
        return charset
    return "utf-8"


def text(rng: Random, words: str, subtype: str, language: str = "en", *, soft_break: bool = False) -> Part:
    """A text part in a charset and a transfer encoding such as real mailers choose."""
    if soft_break:
        return _with_soft_breaks(words, subtype)
    words = unmarked(words)
    charset = charset_for(rng, words, language)
    octets = crlf(words).encode(charset)
    plain = all(octet < 128 for octet in octets) and all(len(line) < 900 for line in octets.split(b"\r\n"))
    encoding = rng.choice(
        ["7bit", "7bit", "quoted-printable", "base64"] if plain else ["quoted-printable", "base64", "8bit"]
    )
    if encoding == "8bit" and (len(max(octets.split(b"\r\n"), key=len)) > 900 or charset == "iso-2022-jp"):
        encoding = "base64"
    flowed = rng.choice(["", "", "; format=flowed"]) if subtype == "plain" and encoding == "7bit" else ""
    kind = (
        f'Content-Type: text/{subtype}; charset="{charset}"{flowed}'
        if rng.random() < 0.6
        else f"Content-Type: text/{subtype}; charset={charset}{flowed}"
    )
    body = {"quoted-printable": quoted_printable, "base64": in_base64}.get(encoding, lambda raw: raw)(octets)
    return Part((kind, f"Content-Transfer-Encoding: {encoding}"), body)


def _with_soft_breaks(words: str, subtype: str) -> Part:
    """Quoted-printable whose soft line breaks fall inside the marked number."""
    head, _, rest = words.partition(OPEN)
    value, _, tail = rest.partition(CLOSE)
    half = max(len(value) // 2, 1)
    # quoted_printable() of each piece separately, glued by a soft break: the decoded text is the same as before.
    pieces = [head, value[:half], value[half:] + unmarked(tail)]
    body = b"=\r\n".join(quoted_printable(crlf(piece).encode()) for piece in pieces)
    return Part((f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"), body)


def in_charset(words: str, codec: str, declared: str, subtype: str = "plain") -> Part:
    """A text part in a codec that few people expect, as `declared`; always as base64."""
    octets = crlf(unmarked(words)).encode(codec, "replace")
    declared = f"; charset={declared}" if declared else ""
    return Part((f"Content-Type: text/{subtype}{declared}", "Content-Transfer-Encoding: base64"), in_base64(octets))


def attached(rng: Random, name: str, media_type: str, octets: bytes, *, disposition: str = "attachment") -> Part:
    """A file, with its name as different mailers write it: plain, RFC 2047 in a parameter, or RFC 2231."""
    named, filed = _parameter(rng, "name", name), _parameter(rng, "filename", name)
    fields = [f"Content-Type: {media_type};\r\n {named}", "Content-Transfer-Encoding: base64"]
    fields.append(f"Content-Disposition: {disposition};\r\n {filed}")
    if disposition == "inline" or rng.random() < 0.2:
        fields.append(f"Content-ID: <{token(rng, 12)}@{token(rng, 8).lower()}>")
    return Part(tuple(fields), in_base64(octets))


def _parameter(rng: Random, key: str, value: str) -> str:
    if value.isascii():
        return f'{key}="{value}"'
    if rng.random() < 0.5:
        return f'{key}="{encoded_word(rng, value)}"'
    quoted = "".join(chr(o) if (chr(o).isalnum() and o < 128) or o in b".-_" else f"%{o:02X}" for o in value.encode())
    return f"{key}*=UTF-8''{quoted}"


def encoded_word(rng: Random, words: str, charset: str = "utf-8") -> str:
    """RFC 2047, as B or Q; no word over the 75 characters of section 2."""
    size = rng.randint(10, 17) if len(words.encode(charset)) < 1.3 * len(words) else rng.randint(4, 6)
    return " ".join(_one_word(rng, words[at : at + size], charset) for at in range(0, len(words), size))


def _one_word(rng: Random, words: str, charset: str) -> str:
    octets = words.encode(charset)
    if rng.random() < 0.5:
        return f"=?{charset}?B?{base64.b64encode(octets).decode()}?="
    quoted = "".join(chr(o) if chr(o).isalnum() and o < 128 else "_" if o == 32 else f"={o:02X}" for o in octets)
    return f"=?{charset}?Q?{quoted}?="


def boundary(rng: Random) -> str:
    return rng.choice([
        f"----=_Part_{rng.randint(10_000, 9_999_999)}_{rng.randint(100_000_000, 999_999_999)}.{rng.randint(1_600_000_000_000, 1_790_000_000_000)}",
        f"_000_{token(rng, 30)}prod_", f"000000000000{hexadecimal(rng, 16)}", f"Apple-Mail=_{hexadecimal(rng, 8).upper()}-{hexadecimal(rng, 4).upper()}",
        f"------------{token(rng, 24)}", f"_----{token(rng, 22)}===_{hexadecimal(rng, 2)}/{hexadecimal(rng, 2)}-{rng.randint(10000, 99999)}",
        f"=_{hexadecimal(rng, 32)}", f"b1_{token(rng, 40)}", f"=-{token(rng, 20)}", f"Boundary_{token(rng, 10)}",
    ])  # fmt: skip


def multipart(
    rng: Random, subtype: str, parts: list[Part], *, preamble: str = "", epilogue: str = "", extra: str = ""
) -> Part:
    line = boundary(rng)
    body = f"{crlf(preamble)}\r\n".encode() if preamble else b""
    for part in parts:
        body += f"--{line}\r\n".encode() + part.render()
        body += b"" if body.endswith(b"\r\n") else b"\r\n"
    body += f"--{line}--\r\n".encode() + (f"\r\n{crlf(epilogue)}\r\n".encode() if epilogue else b"")
    return Part((f'Content-Type: multipart/{subtype};\r\n boundary="{line}"{extra}',), body)
