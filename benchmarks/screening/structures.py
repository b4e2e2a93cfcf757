"""Mail built so that two readers see two mails: the number is in what one of them sees. To be found, or refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from benchmarks.screening import filler, letters, parts
from benchmarks.screening.letters import Letter
from benchmarks.screening.marks import unmarked
from benchmarks.screening.parts import Part, token
from benchmarks.screening.passages import Passage

Trick = Callable[[Random, bytes], Part]
_HEAD = ("Content-Type: text/plain; charset=utf-8",)


def _misspelt_encoding(rng: Random, said: bytes) -> Part:
    name = rng.choice(
        ["base-64", "BASE 64", "x-base64", "base64;", '"base64"', "base64 (encoded)", "b64", "=?us-ascii?Q?base64?="]
    )
    return Part((*_HEAD, f"Content-Transfer-Encoding: {name}"), parts.in_base64(said))


def _two_encodings(rng: Random, said: bytes) -> Part:
    both = ["Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit"]
    rng.shuffle(both)
    return Part((*_HEAD, *both), parts.in_base64(said))


def _undeclared_encoding(rng: Random, said: bytes) -> Part:
    return Part(_HEAD, parts.in_base64(said))


def _junk_in_base64(rng: Random, said: bytes) -> Part:
    raw = base64.b64encode(said).decode()
    junk = rng.choice(["!", "*", "-", " ", "#", ".", "\r\n>"])
    return Part(
        (*_HEAD, "Content-Transfer-Encoding: base64"),
        "".join(mark + (junk if at % 5 == 0 else "") for at, mark in enumerate(raw)).encode() + b"\r\n",
    )


def _padding_inside(rng: Random, said: bytes) -> Part:
    """Several base64 texts after each other, each with its own padding: some readers stop at the first."""
    pieces = [
        base64.b64encode(piece)
        for piece in (b"Dear all,\r\n\r\n", *(said[at : at + 7] for at in range(0, len(said), 7)))
    ]
    return Part((*_HEAD, "Content-Transfer-Encoding: base64"), b"\r\n".join(pieces) + b"\r\n")


def _bad_escapes(rng: Random, said: bytes) -> Part:
    coded = b"".join(
        b"=%02x" % octet
        if rng.random() < 0.5
        else bytes([octet])
        if 33 <= octet < 127 and octet != 61
        else b"=%02X" % octet
        for octet in said
    )
    return Part(
        (*_HEAD, "Content-Transfer-Encoding: quoted-printable"),
        b"=XY=\r\n" + b"= \r\n".join(coded[at : at + 60] for at in range(0, len(coded), 60)) + b"=\r\n",
    )


def _near_boundary(rng: Random, said: bytes) -> Part:
    line = parts.boundary(rng)
    shown = b"Nothing here.\r\n"
    wrong = rng.choice([f"--{line} ", f" --{line}", f"--{line}x", f"--{line.upper()}", f"--{line}\x0b"])
    body = (
        f"--{line}\r\nContent-Type: text/plain\r\n\r\n".encode()
        + shown
        + f"{wrong}\r\n".encode()
        + Part(("Content-Type: text/plain", "Content-Transfer-Encoding: base64"), parts.in_base64(said)).render()
    )
    return Part((f'Content-Type: multipart/mixed; boundary="{line}"',), body + f"--{line}--\r\n".encode())


def _after_the_end(rng: Random, said: bytes) -> Part:
    line = parts.boundary(rng)
    hidden = Part(("Content-Type: text/plain", "Content-Transfer-Encoding: base64"), parts.in_base64(said)).render()
    body = f"--{line}\r\nContent-Type: text/plain\r\n\r\nNothing here.\r\n--{line}--\r\n--{line}\r\n".encode() + hidden
    return Part((f'Content-Type: multipart/mixed; boundary="{line}"',), body + f"--{line}--\r\n".encode())


def _no_end(rng: Random, said: bytes) -> Part:
    line = parts.boundary(rng)
    return Part(
        (f'Content-Type: multipart/mixed; boundary="{line}"',),
        f"--{line}\r\nContent-Type: text/plain\r\n\r\n".encode() + said + b"\r\n",
    )


def _two_boundaries(rng: Random, said: bytes) -> Part:
    first, second = parts.boundary(rng), parts.boundary(rng)
    body = b"".join(
        f"--{line}\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + parts.in_base64(text)
        + f"--{line}--\r\n".encode()
        for line, text in ((first, b"Nothing"), (second, said))
    )
    return Part(
        (
            rng.choice(
                [
                    f'Content-Type: multipart/mixed; boundary="{first}"; boundary="{second}"',
                    f'Content-Type: multipart/mixed; boundary="{first}"\r\nContent-Type: multipart/mixed; boundary="{second}"',
                ]
            ),
        ),
        body,
    )


def _odd_multipart(rng: Random, said: bytes) -> Part:
    line = parts.boundary(rng)
    kind = rng.choice(
        [
            "multipart/mixd",
            "multipart",
            "multipart/x-other",
            "Multipart/ mixed",
            "message/multipart",
            "multipart/(a comment)mixed",
        ]
    )
    part = Part(("Content-Type: text/plain", "Content-Transfer-Encoding: base64"), parts.in_base64(said)).render()
    return Part(
        (f'Content-Type: {kind}; boundary="{line}"',), f"--{line}\r\n".encode() + part + f"\r\n--{line}--\r\n".encode()
    )


def _odd_parameter(rng: Random, said: bytes) -> Part:
    """The boundary in RFC 2231 pieces, with a comment, or in an encoded word."""
    line = token(rng, 24)
    written = rng.choice(
        [
            f"boundary*0={line[:9]}; boundary*1={line[9:]}",
            f"boundary*=us-ascii''{line}",
            f"boundary=(a note){line}",
            f"boundary = {line} (end)",
            f'boundary="=?us-ascii?Q?{line}?="',
        ]
    )
    part = Part(("Content-Type: text/plain", "Content-Transfer-Encoding: base64"), parts.in_base64(said)).render()
    return Part(
        (f"Content-Type: multipart/mixed; {written}",), f"--{line}\r\n".encode() + part + f"\r\n--{line}--\r\n".encode()
    )


def _unknown_charset(rng: Random, said: bytes) -> Part:
    name, codec = rng.choice(
        [
            ("x-user-defined", "cp037"),
            ("ebcdic-us", "cp037"),
            ("utf-17", "utf-16-le"),
            ("", "utf-16-be"),
            ("unknown-8bit", "utf-16-le"),
            ("iso-8859-99", "utf-8"),
        ]
    )
    return Part(
        (f"Content-Type: text/plain; charset={name}", "Content-Transfer-Encoding: base64"),
        parts.in_base64(said.decode().encode(codec, "replace")),
    )


def _yenc(rng: Random, said: bytes) -> Part:
    coded = (
        bytes((octet + 42) & 0xFF for octet in said)
        .replace(b"=", b"=}")
        .replace(b"\0", b"=@")
        .replace(b"\n", b"=J")
        .replace(b"\r", b"=M")
    )
    return Part(
        ("Content-Type: text/plain",),
        b"=ybegin line=128 size=%d name=note.txt\r\n" % len(said) + coded + b"\r\n=yend size=%d\r\n" % len(said),
    )


def _deep(rng: Random, said: bytes) -> Part:
    made = Part((*_HEAD, "Content-Transfer-Encoding: base64"), parts.in_base64(said))
    for _ in range(rng.randint(5, 14)):
        made = parts.multipart(rng, rng.choice(["mixed", "related", "alternative"]), [made])
    return made


TRICKS: dict[str, Trick] = {
    "misspelt encoding": _misspelt_encoding, "two encodings": _two_encodings, "undeclared encoding": _undeclared_encoding, "junk in base64": _junk_in_base64, "padding inside": _padding_inside,
    "bad escapes": _bad_escapes, "near boundary": _near_boundary, "after the end": _after_the_end, "no end": _no_end, "two boundaries": _two_boundaries, "odd multipart": _odd_multipart,
    "odd parameter": _odd_parameter, "unknown charset": _unknown_charset, "yenc": _yenc, "deep": _deep,
}  # fmt: skip


def _writer(trick: Trick) -> Callable[[Letter, Passage], None]:
    def write(letter: Letter, passage: Passage) -> None:
        said = parts.crlf(f"{filler.sentence(letter.rng, 'en')}\n\n{unmarked(passage.prose)}\n").encode()
        part = trick(letter.rng, said)
        if letter.rng.random() < 0.5:
            letter.own_text = part
        else:
            letter.own_text = parts.multipart(
                letter.rng, "mixed", [parts.text(letter.rng, letters.body_text(letter), "plain", letter.language), part]
            )

    return write


WRITERS = {f"structure: {name}": (_writer(trick), "hidden") for name, trick in TRICKS.items()}
