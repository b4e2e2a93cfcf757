"""`gateway demo`: plays the story, a line a step with its proof, then stays up; `--check` ends with an exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx2

from gateway.demo.page import DemoPage, Scene
from gateway.demo.proof import Proof
from gateway.demo.site import HOST, Plan, Ports
from gateway.demo.story import Story
from gateway.demo.telling import NotSo
from gateway.demo.world import WORDS, World
from gateway.domain.errors import GatewayError, Overloaded

NOT_YET = """\
Not there yet: tree heads, receipts and export of the record. Not in this story: mail from outside (gateway screen
tries it on files), full copies of replies in the employee's own mailbox, direct delivery, bounces, reminders, and the
pages on a telephone: tests/ shows them, with real peers and a real browser."""
WITHOUT_PROVIDER = """\
No identity provider here, so everybody signs in by password and app: it needs Node 20 or newer and npm. `make run`
fetches it then."""


async def show(folder: Path, ports: Ports, *, check: bool) -> int:
    """Play the story in `folder`. With `check` return after it, else stay until a signal. Returns an exit code."""
    stop = _stop_at_signal()
    world = World(folder, ports, Plan(fax=True))
    try:
        _say(f"The demo makes a site with invented people in {world.folder} and starts it on {HOST}.")
        playing = asyncio.create_task(_play(world, check=check))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            return 128 + signal.SIGINT
        if not playing.result():
            return os.EX_SOFTWARE
        if not check:
            await stop.wait()
        return os.EX_OK
    except OSError as problem:
        _say(f"The demo cannot start: {problem}", error=True)
        return os.EX_UNAVAILABLE
    except TimeoutError:
        _say(f"The demo cannot start: the programs did not come up in time. Their log: {world.log}", error=True)
        return os.EX_UNAVAILABLE
    except Overloaded as problem:
        _say(f"The demo cannot start: {problem.advice} Or name another folder: --folder.", error=True)
        return os.EX_UNAVAILABLE
    except GatewayError as problem:
        _say(f"The demo cannot start: {problem.advice}", error=True)
        return os.EX_UNAVAILABLE
    finally:
        await world.close()


def _stop_at_signal() -> asyncio.Event:
    """Return what a signal sets; whoever sends one is told at once that it takes a while."""
    stop = asyncio.Event()

    def stop_soon() -> None:
        if not stop.is_set():
            _say("\nThe demo stops. Its programs end what they are at, which takes some seconds.")
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_soon)
    return stop


async def _play(world: World, *, check: bool) -> bool:
    await world.start(with_provider=True)
    if not world.provider:
        _say(WITHOUT_PROVIDER)
    page = DemoPage(_scene(world), world.catcher)
    await page.open(HOST, world.ports.page)
    if not check:
        _say(f"Watch it: http://{HOST}:{world.ports.page}/")
    number = 0
    try:
        async for told in Story(world).play():
            number += 1
            _say(f"\n{number:2}  {told.line}\n    see: {told.proof}")
    except (NotSo, GatewayError, OSError, TimeoutError, LookupError, httpx2.HTTPError) as problem:
        _say(f"\nNot so, after step {number}: {type(problem).__name__}: {problem}", error=True)
        _say(f"The programs' log: {world.log}", error=True)
        return False
    _say(f"\nAll {number} steps are so.")
    if not check:
        _say_what_to_try(world)
    else:
        _say('The lines after "see:" work while the demo stays up: start it without --check.')
    return True


def _scene(world: World) -> Scene:
    ines = world.people["ines"]
    return Scene(
        employee=world.people["dana"].address,
        outside=ines.address,
        portal=world.portal,
        issuer=world.issuer,
        people=world.people.values(),
        words=WORDS,
        vault=world.vault,
        code=world.code,
        search=world.search,
    )


def _say_what_to_try(world: World) -> None:
    proof = Proof(world)
    _say(
        f"""
Try it; the demo stays up until Ctrl-C, and deleting {proof.path(world.folder)} is all it takes to be rid of it:

  http://{HOST}:{world.ports.page}/   two mailboxes, the vault's disk and its search, who can sign in
  {proof.page("", "ines")}
  {proof.mail("dana", world.case_address)}
  {proof.gateway("case", "list")}
  {proof.gateway("doctor")}

{NOT_YET}"""
    )


def _say(text: str, *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()
