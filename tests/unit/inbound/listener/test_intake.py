"""The two intakes against references that look at one octet after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from gateway.inbound.listener.intake import ChunkIntake, DataIntake

CASES = 6000
PIECES = (b"\r\n", b"\r\n", b".", b".", b"\r", b"\n", b"\0", b"a", b"bc", b"\r\n.", b"\r\n..", b"\r\n.\r", b".\r\n")
END = b"\r\n.\r\n"

SMUGGLING = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n.\r\r\n",
)


def reference(stream: bytes) -> tuple[bytes, bool, bytes]:
    """The message, whether its octets are allowed, and what follows it: RFC 5321 section 4.5.2, slowly."""
    lines: list[bytes] = []
    at = 0
    while True:
        end = stream.index(b"\r\n", at)
        line, at = stream[at:end], end + 2
        if line == b".":
            break
        lines.append(line.removeprefix(b"."))
    message = b"".join(line + b"\r\n" for line in lines)
    return message, all(octet not in line for line in lines for octet in b"\r\n\0"), stream[at:]


def blocks(stream: bytes, chance: random.Random) -> Iterator[bytes]:
    while stream:
        size = chance.choice((1, 1, 2, 3, 5, 8, 50))
        yield stream[:size]
        stream = stream[size:]


def take(stream: bytes, sizes: Iterator[bytes]) -> tuple[bytes, bool, bytes]:
    intake, kept = DataIntake(), []
    for block in sizes:
        if intake.rest is not None:
            intake.rest += block
        else:
            kept.append(intake.feed(block))
    assert intake.rest is not None
    return b"".join(kept), intake.is_clean, intake.rest


def test_data_equal_the_reference_at_any_block_boundaries() -> None:
    chance = random.Random(5321)
    dirty = 0
    for _ in range(CASES):
        stream = b"".join(chance.choices(PIECES, k=chance.randrange(12))) + END + b"".join(chance.choices(PIECES, k=3))
        expected = reference(stream)
        dirty += not expected[1]
        assert take(stream, blocks(stream, chance)) == expected, stream
    assert CASES / 10 < dirty < CASES * 9 / 10, "the cases show both kinds"


def test_clean_data_equal_the_reference_at_any_block_boundaries() -> None:
    chance = random.Random(1870)
    for _ in range(CASES):
        lines = [chance.choice((b"", b".", b"..", b".a", b"text", b"x" * 80)) for _ in range(chance.randrange(9))]
        message = b"".join(line + b"\r\n" for line in lines)
        stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
        assert take(stuffed, blocks(stuffed, chance)) == (message, True, b"")


def test_lines_of_one_length_are_judged_as_any_others() -> None:
    chance = random.Random(2045)
    verdicts = set()
    for _ in range(CASES):
        lines = bytearray(
            (b"x" * chance.randrange(4) + b"\r\n") * chance.randrange(1, 8) + b"xx"[: chance.randrange(3)]
        )
        for _ in range(chance.randrange(3)):
            lines[chance.randrange(len(lines))] = chance.choice(b"\r\nx\0")
        stream = bytes(lines) + END
        expected = reference(stream)
        verdicts.add(expected[1])
        assert take(stream, iter((stream,))) == expected, stream
        assert take(stream, blocks(stream, chance)) == expected, stream
    assert verdicts == {True, False}


def test_headers_runs_of_lines_and_many_dots_are_judged_as_any_others() -> None:
    chance = random.Random(822)
    verdicts = set()
    for _ in range(CASES // 4):
        lines = [b"h" * chance.randrange(40) for _ in range(chance.choice((0, 3, 70)))]
        for _ in range(chance.randrange(1, 4)):
            lines += [chance.choice((b"x", b"y.", b".z")) * chance.randrange(1, 12)] * chance.randrange(1, 12)
        stuffed = bytearray(b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines))
        for _ in range(chance.choice((0, 0, 1, 2))):
            stuffed[chance.randrange(len(stuffed))] = chance.choice(b"\r\nx\0.")
        stream = bytes(stuffed) + END
        expected = reference(stream)
        verdicts.add(expected[1])
        assert take(stream, iter((stream,))) == expected, stream
        assert take(stream, blocks(stream, chance)) == expected, stream
    assert verdicts == {True, False}


def test_long_blocks_are_judged_as_short_ones() -> None:
    chance = random.Random(2046)
    verdicts = []
    for _ in range(CASES // 8):
        lines = [b"h" * chance.randrange(40) for _ in range(chance.choice((0, 3, 70)))]
        while sum(map(len, lines)) < 6000:
            lines += [b"x" * chance.choice((1, 5, 10, 70, 76, 200))] * chance.choice((1, 2, 3, 40))
        octets = bytearray(b"\r\n".join(lines) + b"\r\n")
        for _ in range(chance.choice((0, 1, 1, 2))):
            place = chance.choice((0, 1, len(octets) - 1, len(octets) - 2, chance.randrange(len(octets))))
            octets[place] = chance.choice(b"\r\n\0x")
        stream = bytes(octets) + END
        expected = reference(stream)
        verdicts.append(expected[1])
        assert take(stream, iter((stream,))) == expected, stream
        cut = chance.randrange(len(stream))
        assert take(stream, iter((stream[:cut], stream[cut:]))) == expected, (stream, cut)
    assert len(verdicts) / 10 < sum(verdicts) < len(verdicts) * 9 / 10


def test_an_empty_message_ends_at_once() -> None:
    assert take(b".\r\nQUIT\r\n", iter((b".\r\nQUIT\r\n",))) == (b"", True, b"QUIT\r\n")


@pytest.mark.parametrize("form", SMUGGLING)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1000])
def test_no_other_form_ends_the_data_and_each_is_noticed(form: bytes, size: int) -> None:
    intake = DataIntake()
    stream = b"text" + form + b"MAIL FROM:<a@b.test>\r\n"
    for at in range(0, len(stream), size):
        intake.feed(stream[at : at + size])
    assert intake.rest is None
    assert not intake.is_clean


def test_what_is_held_back_is_never_more_than_four_octets() -> None:
    intake = DataIntake()
    passed = sum(len(intake.feed(bytes([octet]))) for octet in b"ab\r\n.\r\rcd\r\n.")
    assert passed >= len(b"ab\r\n.\r\rcd\r\n.") - 1 - 4


def test_chunks_equal_the_reference_at_any_block_boundaries() -> None:
    chance = random.Random(3030)
    for _ in range(CASES):
        message = b"".join(chance.choices(PIECES, k=chance.randrange(12)))
        rest = message.replace(b"\r\n", b"")
        expected = not any(octet in rest for octet in b"\r\n\0")
        if b"\r\n" in rest:  # removing pairs made a new one: those octets stood alone
            expected = False
        intake = ChunkIntake()
        assert b"".join(intake.feed(block) for block in blocks(message, chance)) == message
        assert intake.finish() == expected, message


@pytest.mark.parametrize("form", [form for form in SMUGGLING if b"\r\n.\r\n" not in form])
def test_chunks_with_a_smuggling_form_are_not_clean(form: bytes) -> None:
    for at in range(len(form) + 1):
        intake = ChunkIntake()
        intake.feed(b"text" + form[:at])
        intake.feed(form[at:] + b"more\r\n")
        assert not intake.finish()


def test_a_last_chunk_that_ends_in_cr_is_not_clean() -> None:
    intake = ChunkIntake()
    intake.feed(b"text\r")
    assert not intake.finish()
