"""The wrong client guard in a whole gateway, every program a process of its own, and its author at a mail tool.

A number of another client waits for the one word, goes by it or never; one of this client goes at once.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.demo.catcher import Caught
from gateway.demo.office import operators
from gateway.demo.site import Plan
from gateway.demo.world import World
from gateway.doctor_guard import wrong_client
from gateway.findings import State
from gateway.programmes import load_programmes
from tests.papers import CONSENT
from tests.said import said_in
from tests.story.test_confirmations import by_smtplib, by_swaks, letter, told
from tests.worlds import FAST, eventually, log_lines, reference_in, running_world, signed_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

OWN, OTHER = "98-7654321", "667-11-3456"
"""The number on the papers of the case that is written to (the programme's `demo.toml`), and of another of dana's."""
TELLING = f"Her taxpayer number is {OTHER}, as you asked."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[World]:
    async with running_world(Plan(more=f"{FAST}\n[guard]\n")) as opened:
        await open_other_case(opened)
        yield opened


async def open_other_case(world: World) -> None:
    programme = load_programmes(world.settings.programmes)["cwa"]
    today = datetime.now(programme.zone).date().isoformat()
    async with operators(world.settings) as (keyholder, _):
        made = await keyholder.enact(
            "open_case", person=world.people["dana"].id, programme="cwa", series="SM", trial=True
        )
        fields = {**CONSENT, "agent-tin": OTHER}
        await keyholder.enact(
            "open_agreement", programme="cwa", received=today, cases=[made["reference"]], fields=fields
        )


def to_ines(world: World, reference: str) -> list[Caught]:
    return [mail for mail in world.catcher.mails_to(world.people["ines"].address) if reference in mail.text]


async def asked(world: World, number: str) -> Caught:
    return await told(world, number, lambda mail: "waits for your yes" in mail.text)


async def answer(world: World, number: str, word: str, notice: Caught, folder: Path) -> str:
    to = str(notice.mail["Reply-To"])
    octets = letter(world, number, word, to, In_Reply_To=str(notice.mail["Message-ID"]))
    return await asyncio.to_thread(by_swaks, world, octets, folder, to)


async def told_once(world: World, reference: str) -> None:
    """Wait for the other side's notice; and see, by a later message's, that no second one was sent."""

    async def is_told() -> bool:
        return bool(to_ines(world, reference))

    await eventually("the other side is told", is_told)
    await asyncio.to_thread(by_smtplib, world, letter(world, f"after-{reference}", "Nothing of note."))
    later = reference_in((await told(world, f"after-{reference}", lambda mail: "sealed and filed" in mail.text)).text)

    async def later_is_told() -> bool:
        return bool(to_ines(world, later))

    await eventually("the other side is told of a later message", later_is_told)
    assert len(to_ines(world, reference)) == 1


async def gateway(world: World, *words: str) -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str] = (sys.executable, "-m", "gateway", *words, "--config", str(world.config), "--json")
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=90, check=False)


async def listed(world: World) -> list[dict[str, Any]]:
    shown = json.loads((await gateway(world, "guard", "list")).stdout)
    return list(shown)


async def test_a_number_of_another_client_goes_by_its_authors_word_once(world: World, tmp_path: Path) -> None:
    said = await asyncio.to_thread(by_swaks, world, letter(world, "other", TELLING), tmp_path)
    assert " 250 2.6.0 " in said
    question = await asked(world, "other")
    reference = reference_in(question.text)
    assert not any(word in said_in(question.octets) for word in ("667", "3456", "taxpayer", "spring", "Ines"))
    assert [(row["reference"], row["asked"]) for row in await listed(world)] == [(reference, ["dana"])]
    async with signed_in(world, "ines") as ines:
        assert (await ines.open(f"/messages/{reference}")).status == 404
    assert "550 5.7.1 Your message waits" in await answer(world, "thanks", "thank you", question, tmp_path)
    assert to_ines(world, reference) == []
    assert " 250 2.6.0 " in await answer(world, "yes", "RELEASE", question, tmp_path)
    await told(world, "other", lambda mail: "It was released as you answered." in " ".join(mail.text.split()))
    await told_once(world, reference)
    async with signed_in(world, "ines") as ines:
        assert TELLING in (await ines.open(f"/messages/{reference}")).html
    assert await listed(world) == []


async def test_this_clients_own_number_goes_at_once_and_nobody_is_asked(world: World) -> None:
    await asyncio.to_thread(by_smtplib, world, letter(world, "own", f"Your number is {OWN}."))
    filed = await told(world, "own", lambda mail: "sealed and filed" in mail.text)
    await told_once(world, reference_in(filed.text))
    threads = [str(mail.mail["In-Reply-To"]) for mail in world.catcher.mails_to(world.people["dana"].address)]
    assert threads.count("<own@agency.example>") == 1


async def test_answered_with_withdraw_it_is_never_sent(world: World, tmp_path: Path) -> None:
    await asyncio.to_thread(by_smtplib, world, letter(world, "third", TELLING))
    question = await asked(world, "third")
    reference = reference_in(question.text)
    assert " 250 2.6.0 " in await answer(world, "no", "withdraw", question, tmp_path)
    await told(world, "third", lambda mail: "You answered to withdraw" in mail.text)
    assert await listed(world) == []
    assert " 250 2.6.0 " in await answer(world, "late", "release", question, tmp_path)
    await told(world, "third", lambda mail: "waits for no answer any more" in " ".join(mail.text.split()))
    await asyncio.to_thread(by_smtplib, world, letter(world, "fourth", "Nothing of note."))
    filed = await told(world, "fourth", lambda mail: "sealed and filed" in mail.text)
    await told_once(world, reference_in(filed.text))
    assert to_ines(world, reference) == []


async def test_an_operator_releases_for_an_author_who_is_away_and_the_doctor_counts(world: World) -> None:
    await asyncio.to_thread(by_smtplib, world, letter(world, "away", TELLING))
    reference = reference_in((await asked(world, "away")).text)
    (finding,) = await asyncio.to_thread(lambda: list(wrong_client(world.settings)))
    assert (finding.state, finding.found) == (State.OK, "0 wait for their look; 1 for their author's yes")
    assert (await gateway(world, "guard", "release", reference)).returncode == 0
    await told_once(world, reference)
    assert (await gateway(world, "guard", "release", reference)).returncode != 0


async def test_no_number_stands_in_what_the_programs_logged(world: World) -> None:
    assert {line["outcome"] for line in log_lines(world) if line["event"] == "guard looked"} >= {
        "clear",
        "another-case",
    }
    logged = world.log.read_text("utf-8")
    assert not any(number in logged for number in (OWN, OTHER, OTHER.replace("-", "")))
