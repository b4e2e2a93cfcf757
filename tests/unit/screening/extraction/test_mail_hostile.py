"""Mail made to be slow, deep or large: something to judge by comes out, and steps grow no faster than
octets do.
"""

from __future__ import annotations

import base64
import sys
import tracemalloc
from collections.abc import Callable

import pytest

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk
from gateway.screening.extraction.mail import extract_mail
from tests.unit.screening.extraction.reading import CLOSE, HEAD, OPEN, b64, mail, mixed

Make = Callable[[int], bytes]


def nested_messages(depth: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"\r\ndeep"


def nested_multiparts(depth: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="n%05d"\r\n\r\n--n%05d\r\n' % (level, level) for level in range(depth)
    )
    return HEAD + opened + b"\r\ndeep"


def packed_messages(depth: int) -> bytes:
    octets = HEAD + b"\r\ndeep"
    for _ in range(min(depth, 30)):
        octets = mail("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", base64.b64encode(octets))
    return octets


def many_boundaries(number: int) -> bytes:
    each = b"".join(
        b'%s\r\nContent-Type: multipart/mixed; boundary="limit.0123.%d"\r\n\r\n--limit.0123.%d--\r\n'
        % (OPEN.encode(), n, n)
        for n in range(number)
    )
    return mixed(each, CLOSE)


HOSTILE: dict[str, tuple[Make, int, str]] = {
    # name: (mail of a size, the size, the limit or defect that is told; "" when it may as well be read)
    "parts": (lambda n: mixed(*[OPEN, "", "x"] * n, CLOSE), 100_000, "parts"),
    "empty parts": (lambda n: mixed(*[OPEN] * n, CLOSE), 100_000, "parts"),
    "messages in messages": (nested_messages, 2_000, "depth"),
    "packed messages": (packed_messages, 30, "depth"),
    "multiparts in multiparts": (nested_multiparts, 2_000, "depth"),
    "multiparts beside multiparts": (many_boundaries, 20_000, "parts"),
    "dots in a From": (lambda n: mail("From: " + "." * n, "", "x", head=b""), 30_000, "structured_header"),
    "encoded words": (lambda n: mail("Subject: " + "=?utf-8?q?a?= " * n, "", "x"), 30_000, "header_block"),
    "encoded words under the cap": (
        lambda n: mail("Subject: " + "=?utf-8?q?a?= " * n, "", "x"),
        6_000,
        "encoded_words",
    ),
    "words that begin": (lambda n: mail("Subject: " + "=?a?b?" * n, "", "x"), 16_000, ""),
    "comments": (lambda n: mail("Content-Type: text/plain" + "(" * n, "", "x"), 90_000, "structured_header"),
    "comments in From": (lambda n: mail("From: " + "(" * n + "x", "", "x", head=b""), 90_000, "structured_header"),
    "parameters": (lambda n: mail("Content-Type: a/b" + "; a*0*=x" * n, "", "x"), 9_000, "parameters"),
    "names": (lambda n: mail("Content-Type: a/b" + "; name*1*=%41" * n, "", "x"), 7_000, "parameters"),
    "fields": (lambda n: mail(*["a:"] * n, "", "x"), 20_000, "headers"),
    "folds": (lambda n: mail("Subject: x\r\n" + " y\r\n" * n + "X: y", "", "x"), 20_000, ""),
    "junk among fields": (lambda n: mail(*["junk"] * n, "Subject: x", "", "x"), 15_000, ""),
    "near boundaries": (lambda n: mixed(OPEN, "", *[OPEN + "x"] * n, CLOSE), 300_000, "near_boundaries"),
    "stray boundaries": (lambda n: mixed(OPEN, "", *[" " + OPEN] * n, CLOSE), 300_000, "stray_boundary"),
    "delimiters after the end": (lambda n: mixed(OPEN, "", "x", CLOSE, *[OPEN] * n), 300_000, "near_boundaries"),
    "preamble of fields": (
        lambda n: mixed(*["Content-Type: a/b"] * n, OPEN, "", "x", CLOSE),
        200_000,
        "outside_payload",
    ),
    "begin lines": (lambda n: mail("", *["begin 644 x"] * n), 300_000, ""),
    "one line": (lambda n: mail("", "x" * n), 5_000_000, ""),
    "equals": (lambda n: mail("Content-Transfer-Encoding: quoted-printable", "", "=" * n), 2_000_000, ""),
    "padding": (lambda n: mail("Content-Transfer-Encoding: base64", "", "=" * n), 2_000_000, ""),
    "padded runs": (lambda n: mail("Content-Transfer-Encoding: base64", "", "QQ==" * n), 300_000, ""),
    "tags": (lambda n: mail("Content-Type: text/html", "", "<a" * n), 1_000_000, ""),
    "data uris": (lambda n: mail("Content-Type: text/html", "", "data:;base64,AAAA" * n), 100_000, ""),
    "quoted lines": (lambda n: mail("Content-Type: text/plain; format=flowed", "", *["> x "] * n), 300_000, ""),
    "no line ends at all": (lambda n: b"a:" * n, 500_000, "header_block"),
    "nothing but line ends": (lambda n: b"\r\n" * n, 1_000_000, ""),
    "zeros": (bytes, 3_000_000, ""),
}


def judged(octets: bytes) -> list[Chunk | Unreadable]:
    return list(extract_mail(octets, Budget()))


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_gives_something_to_judge_by(name: str) -> None:
    make, size, detail = HOSTILE[name]
    found = judged(make(size))
    assert found
    assert len(found) < 3_000
    told = {item.detail for item in found if isinstance(item, Unreadable)}
    assert not detail or detail in told
    assert Unread.CORRUPT not in {item.why for item in found if isinstance(item, Unreadable) and item.detail == "mail"}


# Those with fewer steps than octets to begin with have nothing to grow.
_STEPPED = ("parts", "messages in messages", "multiparts in multiparts", "encoded words under the cap", "folds",
            "junk among fields", "stray boundaries", "preamble of fields", "begin lines", "padded runs",
            "quoted lines")  # fmt: skip


@pytest.mark.parametrize("name", _STEPPED)
def test_steps_grow_no_faster_than_octets(name: str) -> None:
    make, size, _ = HOSTILE[name]
    small = max(size // 40, 20)
    judged(make(small))  # what is loaded and remembered once
    assert steps(make(2 * small)) <= 2.3 * steps(make(small)) + 2_000


def steps(octets: bytes) -> int:
    """Calls of functions, ours and the interpreter's, that reading a mail takes."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        judged(octets)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "octets",
    [
        mixed(OPEN, "", "x" * 4_000_000, CLOSE),
        mixed(OPEN, "Content-Transfer-Encoding: base64", "", b64("words " * 500_000), CLOSE),
        mixed(*[OPEN, "", "y" * 30_000] * 100, CLOSE),
        mixed(*[OPEN, "", "y"] * 50_000, CLOSE),
    ],
    ids=["text", "base64", "texts", "parts"],
)
def test_memory_is_a_small_multiple_of_the_mail(octets: bytes) -> None:
    judged(HEAD)
    tracemalloc.start()
    try:
        for _ in extract_mail(octets, Budget()):
            pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10 * len(octets) + 3_000_000


def test_the_next_mail_is_not_affected() -> None:
    before = judged(mail("Subject: hello", "", "x"))
    judged(nested_messages(2_000))
    assert judged(mail("Subject: hello", "", "x")) == before
