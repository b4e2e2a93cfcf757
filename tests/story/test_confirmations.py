"""An employee who never leaves the mail tool: swaks and smtplib at the real door, every program a process of its own.

Filed, reported, read, withdrawn by an answer: all of it in the thread of the employee's own message.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.demo.catcher import Caught
from gateway.demo.world import World
from tests.said import said_in
from tests.worlds import reference_in, running_world, signed_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

WORDS = "The certificate for the spring tour is missing."
SUBJECT = "Certificate of the spring tour"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[World]:
    async with running_world() as opened:
        yield opened


def letter(world: World, number: str, text: str = WORDS, to: str = "", **fields: str) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"], mail["Subject"] = world.people["dana"].address, to or world.case_address, SUBJECT
    mail["Message-ID"] = f"<{number}@agency.example>"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def by_smtplib(world: World, octets: bytes, to: str = "", notify: str = "") -> None:
    tool, dana = world.mail_tool("dana", implicit=False), world.people["dana"].address
    with tool._connect() as client:
        client.login(tool.address, tool.password)
        options = (["RET=HDRS", "ENVID=QQ314159"], [f"NOTIFY={notify}"]) if notify else ([], [])
        client.sendmail(dana, [to or world.case_address], octets, *options)


def by_swaks(world: World, octets: bytes, folder: Path, to: str = "") -> str:
    if shutil.which("swaks") is None:
        pytest.skip("needs swaks: make peers")
    dana = world.people["dana"]
    (folder / "mail.eml").write_bytes(octets)
    command = [
        "swaks", "--server", "localhost", "--port", str(world.ports.starttls), "--tls", "--tls-verify",
        "--tls-ca-path", str(world.settings.tls.certificate), "--auth", "PLAIN", "--auth-user", dana.address,
        "--auth-password", dana.app_password, "--from", dana.address, "--to", to or world.case_address,
        "--data", f"@{folder}/mail.eml",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, timeout=90, env=environment, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


async def told(world: World, number: str, is_it: Callable[[Caught], bool]) -> Caught:
    """Wait for a mail to dana in the thread of one of her messages."""
    dana = world.people["dana"].address
    for _ in range(240):
        for caught in world.catcher.mails_to(dana):
            if caught.mail["In-Reply-To"] == f"<{number}@agency.example>" and is_it(caught):
                return caught
        await asyncio.sleep(0.25)
    raise AssertionError(f"nothing in the thread of {number}: {[one.text for one in world.catcher.mails_to(dana)]}")


def content_free(caught: Caught) -> bool:
    return not any(word in said_in(caught.octets) for word in ("certificate", "Certificate", "spring", "Ines"))


async def test_a_message_is_confirmed_reported_and_told_of_when_it_is_read(world: World) -> None:
    octets = letter(world, "one", Disposition_Notification_To=world.people["dana"].address)
    await asyncio.to_thread(by_smtplib, world, octets, notify="SUCCESS,FAILURE,DELAY")
    filed = await told(world, "one", lambda mail: "sealed and filed" in mail.text)
    reference = reference_in(filed.text)
    delivered = await told(world, "one", lambda mail: b"Action: delivered" in mail.octets)
    assert b"Original-Envelope-Id: QQ314159" in delivered.octets
    async with signed_in(world, "ines") as ines:
        assert WORDS in (await ines.open(f"/messages/{reference}")).html
    read = await told(world, "one", lambda mail: "Your message was read" in mail.text)
    seen = await told(world, "one", lambda mail: b"manual-action/MDN-sent-automatically; displayed" in mail.octets)
    assert b"Original-Message-ID: <one@agency.example>" in seen.octets
    assert all(map(content_free, (filed, delivered, read, seen)))


async def test_an_answer_with_the_one_word_withdraws_from_the_mail_tool(world: World, tmp_path: Path) -> None:
    said = await asyncio.to_thread(by_swaks, world, letter(world, "two"), tmp_path)
    assert " 250 2.6.0 " in said
    filed = await told(world, "two", lambda mail: "sealed and filed" in mail.text)
    reference, answer_to = reference_in(filed.text), str(filed.mail["Reply-To"])
    quoted = "".join(f"> {line}\r\n" for line in filed.text.splitlines())
    octets = letter(
        world, "answer", f"withdraw\n\nOn Sunday the service wrote:\n{quoted}", answer_to,
        In_Reply_To=str(filed.mail["Message-ID"]),
    )  # fmt: skip
    said = await asyncio.to_thread(by_swaks, world, octets, tmp_path, answer_to)
    assert "250 2.6.0 your answer is no message" in said
    outcome = await told(world, "two", lambda mail: "You answered to withdraw" in mail.text)
    assert "gone from their view" in " ".join(outcome.text.split())
    async with signed_in(world, "ines") as ines:
        page = await ines.open(f"/messages/{reference}")
        assert (page.status, WORDS in page.html) == (404, False)


async def test_words_that_nearly_withdraw_are_refused_as_swaks_shows_it(world: World, tmp_path: Path) -> None:
    await asyncio.to_thread(by_swaks, world, letter(world, "three"), tmp_path)
    filed = await told(world, "three", lambda mail: "sealed and filed" in mail.text)
    answer_to = str(filed.mail["Reply-To"])
    octets = letter(world, "nearly", "withdraw this", answer_to, In_Reply_To=str(filed.mail["Message-ID"]))
    said = await asyncio.to_thread(by_swaks, world, octets, tmp_path, answer_to)
    assert "550 5.7.1 To withdraw your message, answer with one line that is just the word WITHDRAW." in said
