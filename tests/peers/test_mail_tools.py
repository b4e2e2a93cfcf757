"""Mail tools that employees have, at the STARTTLS and the TLS door: what the vault has is what the tool sent."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import re
import shutil
import smtplib
import subprocess
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.demo import office
from gateway.demo.actors import Browser
from gateway.demo.catcher import Caught
from gateway.demo.world import World
from gateway.store import tables
from tests.worlds import eventually, reference_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOORS = ["starttls", "tls"]
Tool = Callable[[World, str, bytes, Path], str]


def port(world: World, door: str) -> int:
    return world.ports.starttls if door == "starttls" else world.ports.tls


def run(command: list[str], octets: bytes = b"", **environment: str) -> str:
    """Run a tool in an environment without anybody's own settings; return all that it says."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: make peers")
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run(command, input=octets, capture_output=True, timeout=90, env=clean, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, said
    return said


def by_swaks(world: World, door: str, octets: bytes, folder: Path) -> str:
    dana = world.people["dana"]
    (folder / "mail.eml").write_bytes(octets)
    said = run([
        "swaks", "--server", "localhost", "--port", str(port(world, door)),
        "--tls" if door == "starttls" else "--tls-on-connect",
        "--tls-verify", "--tls-ca-path", str(world.settings.tls.certificate),
        "--auth", "PLAIN", "--auth-user", dana.address, "--auth-password", dana.app_password,
        "--from", dana.address, "--to", world.case_address, "--data", f"@{folder}/mail.eml",
    ])  # fmt: skip
    assert " 250 2.6.0 " in said
    return reference_in(said.split(" 250 2.6.0 ")[1])


def by_msmtp(world: World, door: str, octets: bytes, folder: Path) -> str:
    dana = world.people["dana"]
    (folder / "password").write_text(dana.app_password)
    said = run([
        "msmtp", "--debug", "--file=/dev/null", "--host=localhost", f"--port={port(world, door)}",
        "--tls=on", f"--tls-starttls={'on' if door == 'starttls' else 'off'}",
        f"--tls-trust-file={world.settings.tls.certificate}",
        "--auth=plain", f"--user={dana.address}", f"--passwordeval=cat {folder}/password",
        f"--from={dana.address}", "--", world.case_address,
    ], octets.replace(b"\r\n", b"\n"), HOME=str(folder))  # fmt: skip
    assert "<-- 250 2.6.0 " in said
    return reference_in(said.split("<-- 250 2.6.0 ")[1])


def by_curl(world: World, door: str, octets: bytes, folder: Path) -> str:
    dana = world.people["dana"]
    scheme = "smtp" if door == "starttls" else "smtps"
    said = run([
        "curl", "--silent", "--show-error", "--verbose", "--disable", "--ssl-reqd",
        "--cacert", str(world.settings.tls.certificate), f"{scheme}://localhost:{port(world, door)}",
        "--user", f"{dana.address}:{dana.app_password}", "--mail-from", dana.address,
        "--mail-rcpt", world.case_address, "--upload-file", "-",
    ], octets)  # fmt: skip
    assert "< 250 2.6.0 " in said
    return reference_in(said.split("< 250 2.6.0 ")[1])


def by_smtplib(world: World, door: str, octets: bytes, folder: Path) -> str:
    dana = world.people["dana"]
    implicit = door == "tls"
    connect = smtplib.SMTP_SSL if implicit else smtplib.SMTP
    options = {"context": world.tls} if implicit else {}
    with connect("localhost", port(world, door), timeout=60, **options) as client:
        if not implicit:
            client.starttls(context=world.tls)
        client.login(dana.address, dana.app_password)
        client.mail(dana.address)
        client.rcpt(world.case_address)
        code, text = client.data(octets)
    assert code == 250, text
    return reference_in(text.decode("ascii"))


TOOLS: dict[str, Tool] = {"swaks": by_swaks, "msmtp": by_msmtp, "curl": by_curl, "smtplib": by_smtplib}


def letter(world: World, name: str) -> bytes:
    mail = EmailMessage(email.policy.SMTP)
    mail["From"] = f"Dana Whitfield <{world.people['dana'].address}>"
    mail["To"] = world.case_address
    mail["Subject"] = f"Written with {name}: Übersicht"
    mail["Date"] = "Tue, 03 Mar 2026 10:15:00 -0500"
    mail["Message-ID"] = f"<{name}@desk.agency.example>"
    mail.set_content(f"Grüße\n.\n..\n.dot\nFrom here on.\n{name}\n", cte="quoted-printable")
    mail.add_attachment(os.urandom(90_000), maintype="application", subtype="pdf", filename="Plan für Juni.pdf")
    return mail.as_bytes()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("tool", TOOLS)
async def test_a_mail_tool_deposits_the_octets_it_has(
    tool: str, door: str, world: World, office: Browser, tmp_path: Path
) -> None:
    octets = letter(world, f"{tool}-{door}")
    reference = await asyncio.to_thread(TOOLS[tool], world, door, octets, tmp_path)
    assert await newest(world) == reference
    received = await office.download(f"/messages/{reference}/received.eml")
    assert received.rstrip(b"\r\n") == octets.rstrip(b"\r\n")
    assert len(received) - len(octets) in (0, 2)  # swaks ends each message with an empty line
    assert received == octets or tool == "swaks"


MUTT = """
set realname="Dana Whitfield"
set from="{dana}"
set use_from=yes
set envelope_from_address="{dana}"
set use_envelope_from=yes
set hostname=desk.agency.example
set write_bcc=yes
set copy=yes
set mbox_type=mbox
set record="{folder}/sent"
"""
BY_ITSELF = """
set smtp_url="{scheme}://{user}@localhost:{port}/"
set smtp_pass="{password}"
set smtp_authenticators=plain
set ssl_starttls=yes
set ssl_force_tls=yes
set certificate_file="{certificate}"
"""
BY_MSMTP = """
set sendmail="{folder}/sendmail"
"""
# With write_bcc Debian's mutt writes Bcc into its own copy only, the original also into what it hands on: as here.
SENDMAIL = """#!/bin/sh
cat >{folder}/handed
grep -q '^Bcc:' {folder}/handed || sed -i '0,/^Subject:/s//Bcc: {bcc}\\nSubject:/' {folder}/handed
exec msmtp --file=/dev/null --host=localhost --port={port} --tls=on --tls-starttls={starttls} \\
    --tls-trust-file={certificate} --auth=plain --user={dana} --passwordeval='cat {folder}/password' \\
    --remove-bcc-headers=off "$@" <{folder}/handed
"""


def set_up_mutt(world: World, door: str, folder: Path, sending: str) -> None:
    dana = world.people["dana"]
    names = {
        "dana": dana.address,
        "bcc": world.people["raul"].address,
        "user": dana.address.replace("@", "%40"),
        "password": dana.app_password,
        "scheme": "smtp" if door == "starttls" else "smtps",
        "starttls": "on" if door == "starttls" else "off",
        "port": port(world, door),
        "certificate": world.settings.tls.certificate,
        "folder": folder,
    }
    (folder / "muttrc").write_text((MUTT + sending).format(**names))
    (folder / "password").write_text(dana.app_password)
    (folder / "sendmail").write_text(SENDMAIL.format(**names))
    (folder / "sendmail").chmod(0o700)
    (folder / "plan.bin").write_bytes(os.urandom(5_000))


async def write_with_mutt(world: World, door: str, folder: Path, *recipients: str) -> str:
    """Send a mail with an attachment; return the reference of what came."""
    command = ["mutt", "-F", f"{folder}/muttrc", "-n", "-s", f"Written with mutt by {door}",
               "-a", f"{folder}/plan.bin", *recipients]  # fmt: skip
    said = await asyncio.to_thread(run, command, TEXT.encode(), HOME=str(folder), TERM="dumb")
    assert not said.strip()
    return await newest(world)


TEXT = "Grüße aus mutt\n.\nFrom here on.\n"


async def newest(world: World) -> str:
    """The reference of the message that came last."""
    table = tables.message
    latest = select(func.max(table.c.received_us)).scalar_subquery()
    rows = await office.rows(world.settings, select(table.c.reference).where(table.c.received_us == latest))
    return str(rows[0].reference)


def fields(mail: EmailMessage, *without: str) -> list[tuple[str, str]]:
    left_out = {name.lower() for name in without}
    return sorted((name, " ".join(str(value).split())) for name, value in mail.items() if name.lower() not in left_out)


def parsed(octets: bytes) -> EmailMessage:
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.mark.parametrize("door", DOORS)
async def test_mutt_deposits_what_it_keeps_as_sent(door: str, world: World, office: Browser, tmp_path: Path) -> None:
    set_up_mutt(world, door, tmp_path, BY_ITSELF)
    reference = await write_with_mutt(world, door, tmp_path, "--", world.case_address)
    received = await office.download(f"/messages/{reference}/received.eml")
    kept = (tmp_path / "sent").read_bytes().partition(b"\n")[2].replace(b"\n", b"\r\n").rstrip(b"\r\n") + b"\r\n"
    sent, mine = parsed(received), parsed(kept)
    assert sent["Subject"] == f"Written with mutt by {door}"
    differ = ("Status", "Content-Length", "Lines", "User-Agent", "Date")  # mutt dates and adorns its own copy anew
    assert fields(sent, *differ) == fields(mine, *differ)
    assert received.partition(b"\r\n\r\n")[2] == kept.partition(b"\r\n\r\n")[2].replace(b"\n>From ", b"\nFrom ")


@pytest.mark.parametrize("door", DOORS)
async def test_a_bcc_that_mutt_writes_stays_with_the_office(
    door: str, world: World, office: Browser, outside: Browser, tmp_path: Path
) -> None:
    ines, raul = world.people["ines"], world.people["raul"]
    before = len(world.catcher.mails_to(raul.address))
    set_up_mutt(world, door, tmp_path, BY_MSMTP)
    reference = await write_with_mutt(world, door, tmp_path, "-b", raul.address, "--", ines.address)

    received = await office.download(f"/messages/{reference}/received.eml")
    handed = (tmp_path / "handed").read_bytes().replace(b"\n", b"\r\n")
    assert received == handed
    assert parsed(received)["Bcc"] == raul.address

    page = await outside.open(f"/messages/{reference}")
    assert page.status == 200
    copy = await outside.download(f"/messages/{reference}/copy.eml")
    notices = await world.catcher.wait_for(raul.address, before + 1, 150)
    assert len(notices) == before + 1, "the person in the Bcc is told"
    to_ines = await notices_of(world, ines.address, reference)
    for seen in (page.html.encode(), copy, *(mail.octets for mail in to_ines)):
        assert re.search(rb"\bbcc:|>bcc<", seen, re.IGNORECASE) is None
        assert raul.address.encode() not in seen
        assert raul.name.encode() not in seen
    own = await office.open(f"/messages/{reference}")
    assert raul.address in own.html
    assert "Bcc" in own.html


async def notices_of(world: World, address: str, reference: str) -> list[Caught]:
    async def found() -> bool:
        return any(reference.encode() in mail.octets for mail in world.catcher.mails_to(address))

    await eventually(f"{address} is told of {reference}", found)
    return [mail for mail in world.catcher.mails_to(address) if reference.encode() in mail.octets]
