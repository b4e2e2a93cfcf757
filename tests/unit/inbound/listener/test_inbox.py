from __future__ import annotations

import asyncio
from math import inf

import pytest

from gateway.inbound.listener.inbox import BareNewline, Inbox, LineTooLong, PeerGone


class Valve:
    """A transport as far as an inbox knows one."""

    def __init__(self) -> None:
        self.is_open = True

    def pause_reading(self) -> None:
        self.is_open = False

    def resume_reading(self) -> None:
        self.is_open = True

    def is_closing(self) -> bool:
        return False


async def nothing() -> None:
    return None


def make(capacity: int = 100, line: int = 40) -> Inbox:
    return Inbox(asyncio.get_running_loop(), nothing, capacity=capacity, line_octets=line, seconds=5)


async def test_lines_blocks_and_counts_follow_each_other_in_one_group() -> None:
    inbox = make()
    inbox.feed(b"one\r\ntwo\r\nabcde")
    assert await inbox.readline() == b"one\r\n"
    assert await inbox.readexactly(3) == b"two"
    assert await inbox.read(4) == b"\r\nab"
    assert await inbox.first() == ord("c")
    assert await inbox.read() == b"cde"
    assert inbox.held == 0


async def test_a_line_may_come_octet_by_octet() -> None:
    inbox = make()
    reading = asyncio.create_task(inbox.readline())
    for octet in b"HELO a\r\nx":
        await asyncio.sleep(0)
        inbox.feed(bytes([octet]))
    assert await reading == b"HELO a\r\n"
    assert inbox.held == 1


async def test_what_was_read_too_far_is_put_back_in_front() -> None:
    inbox = make()
    inbox.feed(b"abc")
    inbox.feed(b"def")
    assert await inbox.read(4) == b"abcd"
    inbox.unread(b"cd")
    assert await inbox.read() == b"cdef"


async def test_a_line_over_the_limit_is_told_before_it_ends() -> None:
    inbox = make()
    inbox.feed(b"x" * 41)
    with pytest.raises(LineTooLong):
        await inbox.readline()
    assert inbox.held == 41


async def test_a_whole_line_over_the_limit_is_too_long() -> None:
    inbox = make()
    inbox.feed(b"x" * 39 + b"\r\n")
    with pytest.raises(LineTooLong):
        await inbox.readline()


async def test_a_newline_alone_is_told_at_once() -> None:
    inbox = make()
    inbox.feed(b"NOOP\n")
    with pytest.raises(BareNewline):
        await inbox.readline()


async def test_too_much_unread_pauses_the_peer_until_it_is_read() -> None:
    inbox, valve = make(), Valve()
    inbox.attach(valve)  # type: ignore[arg-type]
    inbox.feed(b"x" * 99)
    assert valve.is_open
    inbox.feed(b"x")
    assert not valve.is_open
    await inbox.readexactly(49)
    assert not valve.is_open
    await inbox.readexactly(1)
    assert valve.is_open


async def test_a_reader_that_wants_more_than_the_capacity_is_not_left_waiting() -> None:
    inbox, valve = make(capacity=10), Valve()
    inbox.attach(valve)  # type: ignore[arg-type]
    reading = asyncio.create_task(inbox.readexactly(30))
    for _ in range(30):
        await asyncio.sleep(0)
        assert valve.is_open
        inbox.feed(b"x")
        await asyncio.sleep(0)
    assert await reading == b"x" * 30


async def test_after_the_end_what_is_here_can_be_read_and_then_the_peer_is_gone() -> None:
    inbox = make()
    inbox.feed(b"QUIT\r\n")
    inbox.feed_eof()
    assert await inbox.readline() == b"QUIT\r\n"
    with pytest.raises(PeerGone):
        await inbox.readline()


async def test_who_waits_for_the_first_octet_of_a_peer_that_goes_is_told_so() -> None:
    inbox = make()
    waiting = asyncio.create_task(inbox.first())
    await asyncio.sleep(0)
    inbox.feed_eof()
    with pytest.raises(PeerGone):
        await waiting


async def test_a_dropped_inbox_forgets_and_takes_nothing_more() -> None:
    inbox = make()
    inbox.feed(b"RCPT TO:<a@b.test>\r\n")
    inbox.drop()
    inbox.feed(b"body\r\n")
    assert inbox.held == 0
    with pytest.raises(PeerGone):
        await inbox.readline()


async def test_a_wait_is_overdue_after_its_seconds_and_nobody_else_is() -> None:
    inbox = make()
    assert inbox.overdue == inf
    now = asyncio.get_running_loop().time
    before = now()
    reading = asyncio.create_task(inbox.read(0, 7))
    await asyncio.sleep(0)
    assert before + 7 <= inbox.overdue <= now() + 7
    inbox.feed(b"x")
    await reading
    assert inbox.overdue == inf


async def test_an_interrupt_breaks_off_the_wait_under_way_and_the_next_one() -> None:
    inbox = make()
    reading = asyncio.create_task(inbox.read())
    await asyncio.sleep(0)
    inbox.interrupt(TimeoutError())
    with pytest.raises(TimeoutError):
        await reading
    with pytest.raises(TimeoutError):
        await inbox.read()
    inbox.feed(b"still here")
    assert await inbox.read() == b"still here"


async def test_what_is_held_back_is_sent_before_a_wait_and_only_then() -> None:
    sent = 0

    async def send() -> None:
        nonlocal sent
        sent += 1

    inbox = Inbox(asyncio.get_running_loop(), send, capacity=100, line_octets=40, seconds=5)
    inbox.feed(b"one\r\ntwo\r\n")
    await inbox.readline()
    await inbox.readline()
    assert sent == 0
    reading = asyncio.create_task(inbox.readline())
    await asyncio.sleep(0)
    assert sent == 1
    inbox.feed(b"three\r\n")
    await reading


async def test_a_line_is_at_hand_only_when_it_is_whole_and_its_own() -> None:
    inbox = make()
    assert inbox.line_at_hand(40) is None
    inbox.feed(b"\rNOOP\r")
    assert inbox.line_at_hand(40) is None
    assert await inbox.read(1) == b"\r"
    inbox.feed(b"\nRSET\r\nx\n")
    assert inbox.line_at_hand(5) is None
    assert inbox.line_at_hand(6) == b"NOOP\r\n"
    assert await inbox.readexactly(5) == b"RSET\r"
    assert inbox.line_at_hand(40) is None  # the CR before this LF has been read as something else
    assert await inbox.readexactly(1) == b"\n"
    assert inbox.line_at_hand(40) is None
