"""Dialogs as text: one conversation a file, run on the real listener.

    listener: plain | starttls | tls         how the door stands open; the last two ask for AUTH
    limits: recipients=2 junk_commands=3     what differs from the defaults
    C: EHLO client.test                      the client says a line
    c: raw octets\\r\\n                        the client sends octets, with the escapes of a Python bytes literal
    S: 250 2.0.0 ok                          the server says exactly this line; "..." stands for any ending
    T:                                       the client starts TLS
    X:                                       the server has closed
    D: deposits 1                            the door then has one; also `abandoned`, `attempts`, and
    D: octets Subject: a\\r\\n                  the octets of the last deposit, `recipients`, `sender`, `principal`

Empty lines and lines that begin with # say nothing.
"""

from __future__ import annotations

import codecs
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gateway.inbound.listener import DoorLimits
from tests.dialogs.door import MemoryDoor
from tests.dialogs.house import Client, open_house

SCRIPTS = Path(__file__).with_name("scripts")
KINDS = {"listener", "limits", "C", "c", "S", "T", "X", "D"}


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    listener: str
    limits: DoorLimits
    steps: tuple[Step, ...]


def read_script(path: Path) -> Script:
    listener, limits, steps = "plain", DoorLimits(error_delay_seconds=0.001, guess_seconds=0.001), []
    for step in read_steps(path):
        if step.kind == "listener":
            listener = step.text
        elif step.kind == "limits":
            limits = read_limits(step.text)
        else:
            steps.append(step)
    assert listener in {"plain", "starttls", "tls"}, f"{path.name}: {listener}"
    return Script(listener, limits, tuple(steps))


def read_steps(path: Path) -> Iterator[Step]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            kind, colon, text = line.partition(":")
            assert colon == ":", f"{path.name}:{number}: {line}"
            assert kind in KINDS, f"{path.name}:{number}: {line}"
            yield Step(number, kind, text.removeprefix(" "))


def read_limits(text: str) -> DoorLimits:
    types = {item.name: type(item.default) for item in fields(DoorLimits)}
    given: dict[str, Any] = {"error_delay_seconds": 0.001, "guess_seconds": 0.001}
    for word in text.split():
        name, _, value = word.partition("=")
        given[name] = types[name](value)
    return DoorLimits(**given)


async def run_script(script: Script, server: ssl.SSLContext, trust: ssl.SSLContext) -> list[str]:
    """Play it. Returns every line that the server said."""
    said: list[str] = []
    async with open_house(
        None if script.listener == "plain" else server,
        trust,
        implicit_tls=script.listener == "tls",
        require_auth=script.listener != "plain",
        limits=script.limits,
    ) as house:
        client = await house.connect(tls=script.listener == "tls")
        try:
            for step in script.steps:
                if step.kind == "D":
                    look(step, house.door)
                else:
                    await play(step, client, said)
        finally:
            await client.close()
    return said


async def play(step: Step, client: Client, said: list[str]) -> None:
    match step.kind:
        case "C":
            client.send(step.text.encode() + b"\r\n")
        case "c":
            client.send(unescape(step.text))
        case "S":
            line = await client.line()
            said.append(line)
            prefix = step.text.removesuffix("...")
            assert line.startswith(prefix) if prefix != step.text else line == step.text, f"line {step.number}: {line}"
        case "T":
            await client.start_tls()
        case "X":
            assert await client.is_closed(), f"line {step.number}: still open"


def look(step: Step, door: MemoryDoor) -> None:
    what, _, expected = step.text.partition(" ")
    last = door.deposits[-1] if door.deposits else None
    found: dict[str, object] = {
        "deposits": str(len(door.deposits)),
        "abandoned": str(door.abandoned),
        "attempts": str(len(door.attempts)),
    }
    if last is not None:
        found |= {
            "octets": last.octets,
            "sender": last.mail.sender,
            "principal": str(last.principal),
            "recipients": " ".join(one.address for one in last.recipients),
            "parameters": f"{last.mail.body} {last.mail.ret} {last.mail.envid} "
            + " ".join(f"{','.join(sorted(one.notify or ()))} {one.orcpt}" for one in last.recipients),
        }
    wanted = unescape(expected) if what == "octets" else expected
    assert found[what] == wanted, f"line {step.number}: {found[what]!r}"


def unescape(text: str) -> bytes:
    return codecs.escape_decode(text.encode())[0]  # type: ignore[attr-defined, no-any-return]
