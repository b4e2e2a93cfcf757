"""The processes in which notifications are made, beside that of the notifier: each has an interpreter of its own.

Does: takes drafts, renders each, makes it once more and compares, signs, and gives back octets.
Trusts: the notifier that has forked it, before that had a thread, a loop or a database.
Holds: the templates and the keys that sign mail; no socket but that to the notifier, no store, no address of a host.
Fails: when one ends, the notifier ends, and their supervisor starts all anew; what it was making is delayed. They end
    with the notifier, and have nothing to lose: each may be killed at any point.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NoReturn

from gateway import maillog
from gateway.domain.address import Address
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.errors import Unavailable
from gateway.domain.notice import Notice, NoticeKind, NoticeState
from gateway.domain.reference import parse
from gateway.failpoints import failpoint
from gateway.outbound.making import Made, Maker, Order
from gateway.outbound.notification import Draft
from gateway.outbound.report import Report
from gateway.process import end_with_parent, ignore_hangup, settle_heap

MOST_PROCESSES: Final = 2
"""Each makes 2,000 a second, and the notifier hands over no more."""
_LENGTHS: Final = struct.Struct(">II")
_READ_AHEAD: Final = 1024 * 1024
_ENDED: Final = "What makes the notifications has ended, and the notifier with it. Its log may say why."


class Processes:
    """The far ends, in the notifier. One event loop."""

    def __init__(self, ends: Sequence[_End]) -> None:
        self._ends = ends
        self.lots = 2 * len(ends)

    async def make_all(self, orders: Sequence[Order]) -> Sequence[Made]:
        """Have them made by the least busy one. Raises Unavailable."""
        return await min(self._ends, key=lambda end: end.under_way).make_all(orders)

    def require_life(self) -> None:
        """Raise Unavailable where one has ended."""
        for end in self._ends:
            end.require_life()

    async def close(self) -> None:
        """Send nothing more; they end by that."""
        for end in self._ends:
            end.close()


@contextmanager
def workshop(maker: Maker, processes: int = 0) -> Iterator[Processes]:
    """Fork so many processes, or as many as are of use, and end them with the block.

    To be called while this one has a single thread.
    """
    with ExitStack() as stack:
        wanted = processes or min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
        yield Processes([stack.enter_context(_forked(maker)) for _ in range(wanted)])


def packed(draft: Draft, programme: str) -> list[Any]:
    """Return an order as JSON carries it: of a parcel the length, its octets go behind."""
    notice, answer = draft.notice, draft.reply_to
    return [
        [draft.to.local, draft.to.domain],
        draft.outbox_id,
        [answer.local, answer.domain] if answer else None,
        programme,
        notice.kind,
        notice.language,
        str(notice.reference) if notice.reference else None,
        notice.portal,
        to_microseconds(notice.at),
        notice.environment,
        notice.count,
        notice.state,
        to_microseconds(notice.until) if notice.until else None,
        notice.refusal,
        notice.kinds,
        notice.zone,
        notice.is_sample,
        notice.reads,
        draft.thread,
        draft.report and [draft.report.type, draft.report.lines, draft.report.message_id],
        len(draft.parcel),
    ]


def unpacked(order: Sequence[Any], parcel: bytes = b"") -> Order:
    """Return what `packed` was given, with the octets of its parcel. Raises ValueError."""
    (local, domain), outbox_id, answer, programme, *facts, thread, reported, _ = order
    kind, language, reference, portal, at_us, environment, count, state, until_us, refusal, kinds, zone, *rest = facts
    notice = Notice(
        NoticeKind(kind),
        language,
        parse(reference) if reference else None,
        portal,
        from_microseconds(at_us),
        environment,
        count,
        NoticeState(state),
        None if until_us is None else from_microseconds(until_us),
        refusal,
        tuple(kinds),
        zone,
        *rest,
    )
    reply_to = Address(*answer) if answer else None
    report = Report(reported[0], tuple(reported[1]), reported[2]) if reported else None
    return Draft(notice, Address(local, domain), outbox_id, reply_to, thread, report, parcel), programme


class _End:
    """The end of one process's channel; `handle` is the process, by `pidfd_open`."""

    def __init__(self, channel: socket.socket, handle: int) -> None:
        self.under_way = 0
        self._channel = channel
        self._life = select.poll()
        self._life.register(handle, select.POLLIN)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._opening, self._reading = asyncio.Lock(), asyncio.Lock()

    async def make_all(self, orders: Sequence[Order]) -> Sequence[Made]:
        """Have them made; answers come in the order in which lots were sent."""
        self.under_way += 1
        try:
            async with self._opening:
                if self._streams is None:
                    self._streams = await asyncio.open_unix_connection(sock=self._channel, limit=_READ_AHEAD)
            reader, writer = self._streams
            parcels = b"".join(draft.parcel for draft, _ in orders)
            writer.write(_framed(json.dumps([packed(*order) for order in orders]).encode("ascii"), parcels))
            async with self._reading:
                head, octets = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
                return _parted(await reader.readexactly(head + octets), head)
        except (asyncio.IncompleteReadError, OSError):
            raise Unavailable(_ENDED) from None
        finally:
            self.under_way -= 1

    def require_life(self) -> None:
        if self._life.poll(0):
            raise Unavailable(_ENDED)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


@contextmanager
def _forked(maker: Maker) -> Iterator[_End]:
    ours, theirs = socket.socketpair()
    first = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        ours.close()
        _live(theirs, maker, first)
    theirs.close()
    handle = os.pidfd_open(process)
    try:
        yield _End(ours, handle)
    finally:
        ours.close()
        os.kill(process, signal.SIGKILL)  # it is not reaped yet, so the number is still its own
        os.waitpid(process, 0)
        os.close(handle)


def _live(channel: socket.socket, maker: Maker, first: int) -> NoReturn:
    """Make what comes until the notifier goes; a signal to end is the notifier's affair."""
    code = os.EX_SOFTWARE
    try:
        end_with_parent(first, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        ignore_hangup()
        settle_heap()
        with channel.makefile("rwb") as stream:
            while lengths := stream.read(_LENGTHS.size):
                head, octets = _LENGTHS.unpack(lengths)
                orders = json.loads(stream.read(head))
                made = maker.make_all(_orders(orders, stream.read(octets)))
                failpoint("workshop.made")
                heads = [one if isinstance(one, str) else len(one) for one in made]
                mails = b"".join(one for one in made if isinstance(one, bytes))
                stream.write(_framed(json.dumps(heads).encode("ascii"), mails))
                stream.flush()
        code = os.EX_OK
    except OSError:
        code = os.EX_OK  # the notifier has gone
    except BaseException as problem:  # noqa: BLE001 - a fork must not go on as what it was forked from
        maillog.incident("workshop", problem)
    finally:
        os._exit(code)


def _orders(packs: Sequence[Sequence[Any]], parcels: bytes) -> list[Order]:
    orders: list[Order] = []
    start = 0
    for one in packs:
        end = start + int(one[-1])
        orders.append(unpacked(one, parcels[start:end]))
        start = end
    return orders


def _framed(head: bytes, octets: bytes = b"") -> bytes:
    return _LENGTHS.pack(len(head), len(octets)) + head + octets


def _parted(answer: bytes, head: int) -> list[Made]:
    made: list[Made] = []
    start = head
    for one in json.loads(answer[:head]):
        if isinstance(one, int):
            made.append(answer[start : start + one])
            start += one
        else:
            made.append(str(one))
    return made
