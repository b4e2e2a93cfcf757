"""The public door of a whole running gateway: swaks and Postfix hear why, and nothing of a refused mail is anywhere."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import secrets
import shutil
import signal
import smtplib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.cli.config import check
from gateway.demo import office
from gateway.demo import search as engine
from gateway.demo.catcher import Caught
from gateway.demo.people import invented_people
from gateway.demo.site import DOMAIN, Plan
from gateway.demo.world import World
from gateway.store import tables
from gateway.supervisor import read_status
from tests.ports import free_port
from tests.postfix import PATIENCE, fates_of, hand_in, lines_of, postfix_folder, running_postfix
from tests.relay import Sink, relay
from tests.worlds import FAST, eventually, log_lines, running_world

MX = """
[mx]
listen = ["127.0.0.1:{port}"]
position = "behind-relay"
tainted = "refuse"
xforward = ["127.0.0.1"]
"""
SENDER = "ines@tours.example"
TO = f"office@{DOMAIN}"
WHY = "Not accepted, nothing stored: it seems to hold taxpayer data. Please send it at https://localhost"
KIND = "a U.S. taxpayer number, in "
WRITING = "write,writev,pwrite64,pwritev,pwritev2,ftruncate,fallocate,sendfile"
WRITTEN = re.compile(r" (?:\w*write\w*|ftruncate|fallocate|sendfile)\(\d+<([^>]*)>")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def temporary() -> Iterator[Path]:
    """Where the gateway's programs put temporary files, if they do."""
    made = Path(tempfile.mkdtemp(prefix="temp-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(port: int, temporary: Path) -> AsyncIterator[World]:
    async with running_world(Plan(more=FAST + MX.format(port=port)), {"TMPDIR": str(temporary)}) as running:
        yield running


@pytest.fixture
def folder() -> Iterator[Path]:
    with postfix_folder() as made:
        yield made


async def test_swaks_hears_the_kinds_in_words(world: World, port: int) -> None:
    if shutil.which("swaks") is None:
        pytest.skip("needs swaks: make peers")
    process = await asyncio.create_subprocess_exec(
        "swaks", "--server", "127.0.0.1", "--port", str(port), "--tls", "--from", SENDER, "--to", TO,
        "--body", f"My social security number (SSN) is {invented()}.",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    said = (await process.stdout.read()).decode()
    await process.wait()
    assert f"<~* 550 5.7.1 {WHY}" in said
    assert KIND in said


async def test_behind_a_relay_its_bounce_shows_our_text_and_the_content(
    world: World, port: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(world.config)
    assert 'This breaks "touches no disk"' in capsys.readouterr().out
    number, sink = invented(), Sink()
    async with relay(sink, None) as back:
        lines = (
            f"default_transport = smtp:[127.0.0.1]:{port}\nsmtp_send_xforward_command = yes\n"
            f"transport_maps = inline:{{ tours.example=smtp:[127.0.0.1]:{back} }}\n"
        )
        with running_postfix(folder, lines) as mta:
            await asyncio.to_thread(hand_in, mta, SENDER, [TO], tainted(number).as_string())
            async with asyncio.timeout(PATIENCE):
                while not sink.mail:
                    await asyncio.sleep(0.1)
            (queued, *_) = await lines_of(folder, f"from=<{SENDER}>")
    bounce = sink.mail[0]
    assert (bounce.mail_from, bounce.rcpt_tos) == ("<>", [SENDER])
    content = bounce.content
    assert isinstance(content, bytes)
    text = " ".join(content.decode().split())
    assert WHY in text
    assert KIND in text
    assert number in text  # as the configuration's check says: a relay's bounce carries it back
    told = [line["upstream"] for line in log_lines(world) if line["event"] == "turned away" and "upstream" in line]
    assert any(f": {upstream}: " in queued for upstream in told)


async def test_behind_a_relay_that_is_not_to_bounce_it_is_thrown_away_and_the_site_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, number, sink = free_port(), invented(), Sink()
    operator = invented_people()["dana"].address
    table = MX.format(port=port).replace('"refuse"', f'"discard-and-tell"\noperators = ["{operator}"]')
    async with running_world(Plan(more=FAST + table)) as world, relay(sink, None) as back:
        check(world.config)
        assert "believes that it arrived" in capsys.readouterr().out
        lines = (
            f"default_transport = smtp:[127.0.0.1]:{port}\n"
            f"transport_maps = inline:{{ tours.example=smtp:[127.0.0.1]:{back} }}\n"
        )
        with running_postfix(folder, lines) as mta:
            await asyncio.to_thread(hand_in, mta, SENDER, [TO], tainted(number).as_string())
            fates = await fates_of(folder, 1)
        said = re.search(
            r"250 2\.6\.0 taken off the wire and discarded, nothing stored: Ref (R-\w{4}-\w{4})", fates[TO]
        )
        assert said, fates
        assert sink.mail == []
        assert len(await turned_away(world)) == 1

        async def is_told() -> bool:
            return any(said[1] in told_in(mail) for mail in world.catcher.mails_to(operator))

        await eventually("the operator is told", is_told)
        (notice,) = [mail for mail in world.catcher.mails_to(operator) if said[1] in told_in(mail)]
        text = told_in(notice)
        assert "How many since the last notice like this: 1" in text
        assert "Found in it: ssn" in text
        for word in (number, SENDER, "Concert"):
            assert word not in text
        told = [mail for mail in world.catcher.mails() if said[1] in told_in(mail)]
        assert {one for mail in told for one in mail.recipients} == {operator}
        assert not {SENDER, TO} & {one for mail in world.catcher.mails() for one in mail.recipients}
        assert list(engine.search(forms([number]), [world.folder]).hits) == []


async def test_before_the_queue_the_senders_own_server_keeps_it_and_the_sites_never_has_it(
    world: World, port: int, folder: Path
) -> None:
    number = invented()
    with running_postfix(folder, f"smtpd_proxy_filter = 127.0.0.1:{port}\n") as mta:
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            await asyncio.to_thread(hand_in, mta, SENDER, [TO], tainted(number).as_string())
        assert refusal.value.smtp_code == 550
        assert WHY.encode() in refusal.value.smtp_error
        assert KIND.encode() in refusal.value.smtp_error
        assert await lines_of(folder, "proxy-reject: END-OF-MESSAGE: 550 5.7.1")
        assert list(engine.search(forms([number]), [folder]).hits) == []


async def test_of_refused_mail_nothing_is_anywhere(world: World, port: int, temporary: Path) -> None:
    numbers = [invented() for _ in range(20)]
    mails = [planted(number, place) for place, number in enumerate(numbers)]
    before = len(await turned_away(world))
    for mail in mails[:16]:
        with pytest.raises(smtplib.SMTPDataError, match="550"):
            await asyncio.to_thread(send, port, mail)
    await leave_in_the_middle(port, mails[16])
    await leave_in_the_middle(port, mails[17])
    for mail in mails[18:]:
        for template in templates_of(world):
            with suppress(ProcessLookupError):
                os.kill(template, signal.SIGKILL)
        with pytest.raises(smtplib.SMTPDataError):  # asked to come back, or refused: never taken
            await asyncio.to_thread(send, port, mail)
    assert 16 <= len(await turned_away(world)) - before <= 18
    looked = engine.search(forms(numbers), [world.folder, temporary])
    assert looked.files > 20
    assert list(looked.hits) == []
    kept = temporary / "kept"
    kept.mkdir()
    for name, mail in enumerate(mails):
        (kept / f"{name}.gz").write_bytes(gzip.compress(mail.as_bytes()))
    told = " ".join(hit.form for hit in engine.search(forms(numbers), [kept]).hits)
    shutil.rmtree(kept)
    assert all(number in told for number in numbers), "the search does not find them where they are kept"


async def test_while_it_refuses_it_writes_to_its_peer_its_child_the_record_and_the_log_alone(
    world: World, port: int, temporary: Path
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace: make peers")
    trace = temporary / "trace"
    traced = [f"--attach={process}" for process in (mx_of(world), *templates_of(world))]
    process = await asyncio.create_subprocess_exec(
        "strace", "-f", "-y", f"--output={trace}", f"--trace={WRITING}", *traced, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    for _ in traced:
        assert b"attached" in await process.stderr.readline()
    try:
        for _ in range(3):
            with pytest.raises(smtplib.SMTPDataError, match="550"):
                await asyncio.to_thread(send, port, tainted(invented()))
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    written = {found[1] for line in trace.read_text("utf-8", "replace").splitlines() if (found := WRITTEN.search(line))}
    trace.unlink()
    assert any(to.startswith("/memfd:mail") for to in written)
    assert any(to.endswith("gateway.db-wal") for to in written)
    allowed = ("/memfd:", "socket:", "pipe:", "anon_inode:", str(world.log), f"{world.vault}/gateway.db")
    assert not {to for to in written if not to.startswith(allowed)}


def invented() -> str:
    """A number that could be somebody's, and of which nothing else here knows."""
    return f"{secrets.randbelow(500) + 101:03}-{secrets.randbelow(98) + 1:02}-{secrets.randbelow(9998) + 1:04}"


def tainted(number: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, TO, "Concert"
    mail.set_content(f"My social security number (SSN) is {number}.\n")
    return mail


def planted(number: str, place: int) -> EmailMessage:
    """A mail with the number in its text, an attachment, its subject, or its sender's name."""
    if place % 4 == 0:
        return tainted(number)
    words = f"SSN {number}"
    mail = EmailMessage()
    mail["From"] = f'"{words}" <{SENDER}>' if place % 4 == 3 else SENDER
    mail["To"], mail["Subject"] = TO, f"My {words}" if place % 4 == 2 else "Concert"
    mail.set_content("Please see above.\n")
    if place % 4 == 1:
        mail.add_attachment(f"Social security number (SSN): {number}".encode(), "text", "csv", filename="a.csv")
    return mail


def send(port: int, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.send_message(mail, SENDER, [TO])


async def leave_in_the_middle(port: int, mail: EmailMessage) -> None:
    """Send all but the last octets of a mail, and hang up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"EHLO a.test\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode())
    while not (await reader.readline()).startswith(b"354"):
        pass
    writer.write(mail.as_bytes().replace(b"\n", b"\r\n"))
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def forms(numbers: list[str]) -> engine.Forms:
    """Every form of each number, with its hyphens and without."""
    return {
        f"{text} {name}": form
        for number in numbers
        for text in (number, number.replace("-", ""))
        for name, form in engine.words(text).items()
    }


def told_in(mail: Caught) -> str:
    """The plain words of a mail that the site sent."""
    return " ".join(mail.text.split())


async def turned_away(world: World) -> list[str]:
    found = await office.rows(
        world.settings, select(tables.leaf.c.body).where(tables.leaf.c.kind == "mail_turned_away")
    )
    return [str(row) for row in found]


def templates_of(world: World) -> list[int]:
    """The process ids of the templates below the running mx, by what /proc says."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_template = b"gateway.screening.template" in (process / "cmdline").read_bytes()
            if is_template and int((process / "stat").read_text().rpartition(")")[2].split()[1]) == mx_of(world):
                found.append(int(process.name))
    return found


def mx_of(world: World) -> int:
    return int(read_status(world.settings.site.run)["mx"]["pid"])
