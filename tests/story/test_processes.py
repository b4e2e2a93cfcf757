"""The submission program as several processes: one dies, one limit, one stop, all on the real programs."""

from __future__ import annotations

import asyncio
import os
import signal
import smtplib
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.demo.site import Plan
from gateway.demo.world import World
from gateway.process import holder
from gateway.supervisor import read_status
from tests.worlds import FAST, Conversation, children_of, eventually, log_lines, reference_in, running_world

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

PROCESSES = 3
PER_ADDRESS = 6
ESTABLISHED, CLOSE_WAIT = "01", "08"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[World]:
    async with running_world(Plan(more=f"{FAST.rstrip()}\nconnections_per_address = {PER_ADDRESS}\n")) as world:
        text = world.config.read_text("utf-8")
        world.config.write_text(text.replace("[submission]\n", f"[submission]\nprocesses = {PROCESSES}\n", 1), "utf-8")
        program = world.process_of("submission")
        os.kill(program, signal.SIGTERM)
        await eventually("the submission program serves anew", lambda: has_workers(world, other_than=program))
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def several(running: World) -> World:
    """The same, when its processes have noticed that whoever was connected has left: they share who comes evenly."""
    await eventually("nobody is connected", lambda: is_deserted(running))
    return running


async def is_deserted(world: World) -> bool:
    """Tell whether no process holds a connection to the doors any more, by the kernel's table (proc(5))."""
    doors = {f"{port:04X}" for port in (world.ports.starttls, world.ports.tls)}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return not any(row[1].rpartition(":")[2] in doors and row[3] in {ESTABLISHED, CLOSE_WAIT} for row in rows)


async def has_workers(world: World, other_than: int = 0) -> bool:
    status = read_status(world.settings.site.run)["submission"]
    is_ready = bool(status["ready"]) and status["pid"] != other_than
    return is_ready and len(children_of(status["pid"])) == PROCESSES


def mail(world: World, subject: str) -> bytes:
    return f"From: {world.people['dana'].address}\r\nSubject: {subject}\r\n\r\nwords\r\n".encode()


async def test_every_process_takes_mail_and_says_so_under_its_number(several: World) -> None:
    with ExitStack() as stack:
        tools = [stack.enter_context(Conversation(several)) for _ in range(PROCESSES)]
        references = {reference_in((await asyncio.to_thread(tool.send, mail(several, "each"))).text) for tool in tools}
    assert references <= set(await several.references())
    told = [line for line in log_lines(several) if line["event"] == "deposited" and line["reference"] in references]
    assert sorted(line["process"] for line in told) == list(range(1, PROCESSES + 1))


async def test_one_address_has_as_many_connections_as_the_limit_says_over_all_processes(several: World) -> None:
    with ExitStack() as stack:
        for _ in range(PER_ADDRESS):
            client = stack.enter_context(smtplib.SMTP("127.0.0.1", several.ports.starttls))
            assert client.noop()[0] == 250
        for _ in range(PROCESSES):
            with pytest.raises(smtplib.SMTPConnectError) as refused:
                smtplib.SMTP("127.0.0.1", several.ports.starttls)
            assert refused.value.smtp_code == 421
            assert b"from your address" in refused.value.smtp_error
    await eventually("nobody is connected", lambda: is_deserted(several))
    await asyncio.to_thread(lambda: smtplib.SMTP("127.0.0.1", several.ports.starttls).close())


async def test_what_a_dying_process_has_acknowledged_is_kept_and_the_others_go_on(several: World) -> None:
    program, before = several.process_of("submission"), set(await several.references())
    with ExitStack() as stack:
        tools = [stack.enter_context(Conversation(several)) for _ in range(PROCESSES)]
        kept = {reference_in((await asyncio.to_thread(tool.send, mail(several, "before"))).text) for tool in tools}
        os.kill(children_of(program)[0], signal.SIGKILL)
        ended = 0
        for tool in tools:
            try:
                reply = await asyncio.to_thread(tool.send, mail(several, "after"))
            except (smtplib.SMTPServerDisconnected, OSError):
                ended += 1
            else:
                kept.add(reference_in(reply.text))
    assert ended == 1
    await eventually("another process is there", lambda: has_workers(several))
    with ExitStack() as stack:
        for _ in range(PROCESSES):
            tool = stack.enter_context(Conversation(several))
            kept.add(reference_in((await asyncio.to_thread(tool.send, mail(several, "again"))).text))
    assert set(await several.references()) - before == kept
    assert several.process_of("submission") == program
    assert read_status(several.settings.site.run)["submission"]["restarts"] == 1, "the program itself went on"


async def test_told_to_stop_each_process_finishes_its_message_and_the_next_is_told_to_come_again(
    several: World,
) -> None:
    program = several.process_of("submission")
    with ExitStack() as stack:
        tools = [stack.enter_context(Conversation(several)) for _ in range(PROCESSES)]
        idle = [stack.enter_context(Conversation(several)) for _ in range(PROCESSES)]
        for tool in tools:
            tool.begin(mail(several, "under way"))
            tool._client.putcmd("DATA")
            assert tool._client.getreply()[0] == 354
            tool._client.send(b"From: " + several.people["dana"].address.encode() + b"\r\n\r\nhalf")
        os.kill(program, signal.SIGTERM)
        for tool in idle:
            assert (await asyncio.to_thread(tool._client.getreply))[0] == 421
        for tool in tools:
            tool._client.send(b" and half\r\n.\r\n")
            code, text = await asyncio.to_thread(tool._client.getreply)
            assert code == 250
            assert reference_in(text.decode("ascii")) in await several.references()
    await eventually("the program is started anew", lambda: has_workers(several, other_than=program))


async def test_killed_with_the_first_process_no_worker_is_left_and_the_lock_is_free(several: World) -> None:
    program = several.process_of("submission")
    workers = children_of(program)
    os.kill(program, signal.SIGKILL)
    await eventually("the program is started anew", lambda: has_workers(several, other_than=program))
    assert holder(several.settings.site.run, "submission") == several.process_of("submission")
    assert not set(workers) & set(children_of(several.process_of("submission")))
    with Conversation(several) as tool:
        assert (await asyncio.to_thread(tool.send, mail(several, "afterwards"))).code == 250


async def test_the_notifier_is_started_anew_where_one_that_makes_its_mails_has_ended(several: World) -> None:
    program = several.process_of("notifier")
    makers = children_of(program)
    assert makers
    os.kill(makers[0], signal.SIGKILL)

    async def serves_anew() -> bool:
        status = read_status(several.settings.site.run)["notifier"]
        return bool(status["ready"]) and status["pid"] != program

    await eventually("the notifier serves anew", serves_anew)
    anew = several.process_of("notifier")
    assert len(children_of(anew)) == len(makers)
    assert not set(makers) & set(children_of(anew))
    assert holder(several.settings.site.run, "notifier") == anew
