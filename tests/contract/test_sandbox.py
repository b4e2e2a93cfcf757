"""The sandbox as it is: real children of a real template, on this kernel, locked as the shipped ones are."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pikepdf
import pillow_heif
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFont

from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.verdict import Kind, Outcome, Unread, Verdict
from gateway.screening import known, landlock, seccomp
from gateway.screening.children import Children
from gateway.screening.chunk import Limits
from gateway.screening.policy import Policy
from gateway.screening.pool import Patience, Pool, Sizes, sealed_file
from gateway.screening.protocol import BadAnswer, Orders, Request, Role
from tests.sandbox_template import ANSWERS, ATTEMPTS

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, str(ROOT / "tests" / "sandbox_template.py"))
HARMLESS = b"From: a@example.org\r\nSubject: Concert\r\n\r\nThe rehearsal begins at seven.\r\n"
TAINTED = b"From: a@example.org\r\nSubject: Form\r\n\r\nMy social security number (SSN) is 536-41-2879.\r\n"
REFUSED = {"refused": "PermissionError"}
UNKNOWN = {"refused": "OSError"}  # said not to be there
DEADLY = {"trace its parent"}
UNSEEN = "make a process by flags that no filter sees"
KNOWN = {"know its descriptors", "know its environment"}
QUICK = Limits(seconds=1)
pytestmark = pytest.mark.asyncio(loop_scope="module")

if not (landlock.version() and seccomp.is_present()):
    pytest.skip("needs a kernel with Landlock and seccomp", allow_module_level=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def children() -> AsyncIterator[Children]:
    made = Children(Orders(limits=QUICK), 2, COMMAND)
    await made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(Orders(limits=QUICK), Sizes(2, 1), Patience(child=60.0, answer=10.0), command=COMMAND)
    await made.start()
    yield made
    await made.close()


async def ask(children: Children, task: str, octets: bytes) -> bytes:
    child = await children.take(60.0)
    file = sealed_file(octets)
    try:
        return await child.ask(Request(task, len(octets)), file)
    finally:
        os.close(file)
        children.end(child)


async def told(children: Children, attempt: str, task: str = "attempt") -> dict[str, str]:
    answer: dict[str, str] = json.loads(await ask(children, task, attempt.encode()))
    return answer


@pytest.mark.parametrize("task", ["attempt", "attempt in a thread"])
async def test_a_child_reaches_nothing_outside_of_itself(children: Children, task: str) -> None:
    for attempt in ATTEMPTS.keys() - KNOWN - DEADLY:
        assert await told(children, attempt, task) == (UNKNOWN if attempt == UNSEEN else REFUSED), attempt
    for attempt in DEADLY:
        with pytest.raises(BadAnswer):
            await told(children, attempt, task)


async def test_a_child_has_its_connection_and_no_other_descriptor(children: Children) -> None:
    assert (await told(children, "know its descriptors"))["reached"] == "[0, 1, 2, 3]"


async def test_the_environment_of_a_child_tells_nothing_of_its_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAULT_PASSPHRASE", "secret")
    made = Children(Orders(), 1, COMMAND)
    await made.start()
    try:
        reached = (await told(made, "know its environment"))["reached"]
    finally:
        await made.close()
    assert "PYTHONPATH" in reached
    assert "VAULT_PASSPHRASE" not in reached


async def test_the_template_inherits_one_connection_alone() -> None:
    inheritable = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(inheritable, True)
    made = Children(Orders(), 0)  # nothing is wanted of it, so that nothing of a child is open
    try:
        await made.start()
        links = [str(link.readlink()) for link in Path(f"/proc/{made.template}/fd").iterdir()]
    finally:
        os.close(inheritable)
        await made.close()
    assert sorted(link.partition(":")[0] for link in links) == ["/dev/null"] * 3 + ["socket"]


async def test_a_sealed_mail_cannot_be_changed() -> None:
    file = sealed_file(b"mail")
    for change in (lambda: os.write(file, b"x"), lambda: os.ftruncate(file, 0), lambda: os.ftruncate(file, 9)):
        with pytest.raises(PermissionError):
            change()
    os.close(file)


async def test_the_self_test_reads_every_main_type_and_reaches_nothing(pool: Pool) -> None:
    found = await pool.test()
    assert found.missed == ()
    assert found.reached == ()
    assert found.locks.landlock > 0
    assert found.locks.seccomp


async def test_ordinary_mail_is_clean_and_a_number_taints(pool: Pool) -> None:
    assert (await pool.judge(HARMLESS)).outcome is Outcome.CLEAN
    verdict = await pool.judge(TAINTED)
    assert verdict.outcome is Outcome.TAINTED
    assert {found.kind for found in verdict.findings} == {Kind.SSN}


async def test_a_page_is_read_by_the_page_pool(pool: Pool) -> None:
    for first in (False, True):
        assert (await pool.judge(known.mail(known.PAGE), first=first)).outcome is Outcome.TAINTED


async def test_a_picture_without_a_word_is_clean() -> None:
    """Of such the recogniser says something to its own log, which a locked child cannot open."""
    picture = Image.new("RGB", (640, 480), "white")
    ImageDraw.Draw(picture).ellipse((200, 100, 440, 340), fill="darkgreen")
    held = io.BytesIO()
    picture.save(held, "PNG")
    pool = Pool()
    await pool.start()
    try:
        assert (await judged_at_last(pool, enclosing("logo.png", held.getvalue()))).outcome is Outcome.CLEAN
    finally:
        await pool.close()


def enclosing(name: str, octets: bytes) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "a@example.org", "A file"
    mail.set_content("The file is attached.\n")
    mail.add_attachment(octets, maintype="application", subtype="octet-stream", filename=name)
    return bytes(mail)


def heic(words: str, tile: int) -> bytes:
    image = Image.new("RGB", (1200, 900), "white")
    ImageDraw.Draw(image).text((60, 200), words, fill="black", font=ImageFont.load_default(48))
    held = io.BytesIO()
    pillow_heif.options.GRID_TILE_SIZE = tile
    pillow_heif.from_pillow(image).save(held, quality=80)
    pillow_heif.options.GRID_TILE_SIZE = 0
    return held.getvalue()


@pytest.mark.parametrize("tile", [0, 512], ids=["whole", "of tiles"])
async def test_a_heic_picture_is_read(tile: int) -> None:
    pool = Pool(sizes=Sizes(1, 1))
    await pool.start()
    try:
        clean = await pool.judge(enclosing("a.heic", heic("The rehearsal begins at seven", tile)))
        tainted = await pool.judge(enclosing("a.heic", heic("My SSN is 536-41-2879", tile)))
    finally:
        await pool.close()
    assert clean == Verdict()
    assert [found.kind for found in tainted.findings] == [Kind.SSN]
    assert tainted.unreadable == ()


@pytest.mark.parametrize("revision", [2, 3, 4, 6])
async def test_a_pdf_is_read_when_the_empty_password_opens_it(pool: Pool, revision: Any) -> None:
    def locked(title: str, user: str) -> bytes:
        held = io.BytesIO()
        with pikepdf.new() as document:
            document.add_blank_page()
            document.docinfo["/Title"] = title
            stronger = revision > 3
            rights = pikepdf.Encryption(owner="o", user=user, R=revision, aes=stronger, metadata=stronger)
            document.save(held, encryption=rights)
        return enclosing("a.pdf", held.getvalue())

    assert await pool.judge(locked("The programme", "")) == Verdict()
    tainted = await pool.judge(locked("SSN 536-41-2879", ""))
    assert {found.kind for found in tainted.findings} == {Kind.SSN}
    shut = await pool.judge(locked("The programme", "secret"))
    assert {lost.why for lost in shut.unreadable} == {Unread.ENCRYPTED}


async def test_kinds_that_a_site_does_not_screen_for_are_not_found() -> None:
    pool = Pool(Orders(Policy(frozenset({Kind.IBAN}), Policy.default().threshold, frozenset())), Sizes(1, 1))
    await pool.start(tested=True)  # of every kind all the same
    try:
        assert (await pool.judge(TAINTED)).outcome is Outcome.CLEAN
    finally:
        await pool.close()


@pytest.mark.parametrize(("misdeed", "detail"), [("spin", "time"), ("hog", "memory"), ("deep", "depth")])
async def test_what_goes_over_a_limit_says_so_and_keeps_what_it_found(pool: Pool, misdeed: str, detail: str) -> None:
    verdict = await pool.judge(misdeed.encode() + b"\r\n")
    assert [(lost.why, lost.detail) for lost in verdict.unreadable] == [(Unread.OVER_LIMIT, detail)]
    assert [found.kind for found in verdict.findings] == [Kind.SSN]
    assert (await pool.judge(HARMLESS)).outcome is Outcome.CLEAN


async def test_a_fault_of_our_own_code_makes_a_mail_unscreenable(pool: Pool) -> None:
    verdict = await pool.judge(b"bug\r\n")
    assert [(lost.why, lost.detail) for lost in verdict.unreadable] == [(Unread.CORRUPT, "fault")]


@pytest.mark.parametrize("misdeed", ["crash", "abort", "leave", *ANSWERS])
async def test_no_answer_is_never_clean_and_the_second_time_final(pool: Pool, misdeed: str) -> None:
    mail = misdeed.encode() + b"\r\n"
    with pytest.raises(ScreeningUnavailable):
        await pool.judge(mail)
    for _ in range(2):
        assert (await pool.judge(mail)).outcome is Outcome.UNSCREENABLE
    assert (await pool.judge(TAINTED)).outcome is Outcome.TAINTED


async def test_a_child_that_no_limit_wakes_is_ended() -> None:
    pool = Pool(Orders(limits=QUICK), Sizes(1, 1), Patience(child=60.0, answer=4.0), command=COMMAND)
    await pool.start()
    try:
        for misdeed in (b"sleep", b"spin in C"):
            found = await asyncio.gather(pool.look(misdeed, last=True), pool.look(HARMLESS))
            assert [one.verdict.outcome for one in found] == [Outcome.UNSCREENABLE, Outcome.CLEAN]
    finally:
        await pool.close()


async def test_a_template_that_is_killed_comes_back(pool: Pool) -> None:
    killed = pool.template(Role.TEXT)
    os.kill(killed, 9)
    async with asyncio.timeout(60):
        while pool.template(Role.TEXT) in (0, killed):
            await asyncio.sleep(0.05)
    assert (await judged_at_last(pool, TAINTED)).outcome is Outcome.TAINTED


async def test_a_mail_is_not_blamed_for_the_end_of_the_template(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    mail, asked = b"sleep\r\nand more", asyncio.Event()
    monkeypatch.setattr("gateway.screening.pool.failpoint", lambda _: asked.set())
    waiting = asyncio.create_task(pool.judge(mail))
    await asyncio.wait_for(asked.wait(), 60)
    os.kill(pool.template(Role.TEXT), 9)
    with pytest.raises(ScreeningUnavailable):
        await waiting
    assert pool._memory.failures(mail) == 0


async def test_children_end_with_their_template(children: Children) -> None:
    child = await children.take(60.0)
    os.kill(children.template, 9)
    with pytest.raises(BadAnswer):
        file = sealed_file(b"sleep")
        try:
            await child.ask(Request("screen", 5), file)
        finally:
            os.close(file)
            children.end(child)


async def test_fifty_mails_at_once_each_get_their_own_verdict(pool: Pool) -> None:
    mails = [TAINTED + str(number).encode() if number % 2 else HARMLESS for number in range(50)]
    outcomes = [verdict.outcome for verdict in await asyncio.gather(*map(pool.judge, mails))]
    assert outcomes == [Outcome.TAINTED if number % 2 else Outcome.CLEAN for number in range(50)]


async def test_a_caller_that_leaves_takes_no_child_with_it(pool: Pool) -> None:
    for _ in range(4):
        leaving = asyncio.create_task(pool.judge(b"sleep\r\n"))
        await asyncio.sleep(0.1)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    assert (await pool.judge(HARMLESS)).outcome is Outcome.CLEAN


async def judged_at_last(pool: Pool, mail: bytes) -> Verdict:
    async with asyncio.timeout(60):
        while True:
            try:
                return await pool.judge(mail)
            except ScreeningUnavailable:
                await asyncio.sleep(0.1)
