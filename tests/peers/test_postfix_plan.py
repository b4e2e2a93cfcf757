"""The plan that `gateway postfix plan` prints, run as printed on a real Postfix beside a whole running gateway."""

from __future__ import annotations

import asyncio
import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.demo.world import World
from tests.dialogs.certificates import make_certificate
from tests.peers.test_relay import open_relay
from tests.postfix import PATIENCE, fates_of, postfix_folder, running_postfix
from tests.sasl import PASSWORD, signing_in
from tests.worlds import running_world

EMPLOYEE, NOTIFIER = "127.0.0.6", "127.0.0.1"
SITE = """\
smtp_bind_address = 127.0.0.9
mynetworks = 127.0.0.1/32
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sender_login_maps = texthash:{folder}/logins
smtpd_delay_reject = yes
default_transport = discard:
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with postfix_folder() as made:
        yield made


@pytest.fixture
def auth() -> Iterator[Path]:
    with signing_in() as socket:
        yield socket


def gateway(world: World, *arguments: str) -> str:
    """What a command of the gateway prints."""
    done = ended(world, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ended(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *arguments, "--config", str(world.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def run_plan(world: World, conf: Path) -> str:
    """Print the plan, run it as printed, fill the map as it says; return what Postfix's settings are then."""
    plan = conf / "plan.sh"
    plan.write_text(gateway(world, "postfix", "plan", "--folder", str(conf), "--gateway-address", NOTIFIER))
    done = run(plan)
    assert done.returncode == 0, done.stderr
    (conf / "gateway_enrolled").write_text(gateway(world, "designated-user", "list", "--routing"))
    told = subprocess.run(["postconf", "-c", conf, "-n"], capture_output=True, text=True, check=True).stdout
    return told + (conf / "master.cf").read_text()


def run(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", script], capture_output=True, text=True, timeout=PATIENCE, check=False)


def say(port: int, sender: str, recipient: str, *, login: str = "", source: str = EMPLOYEE) -> str:
    """Hand in one mail; return what is said of it."""
    mail = f"From: {sender}\r\nTo: {recipient}\r\nSubject: by plan\r\n\r\nwords to {recipient}\r\n"
    for _ in range(int(PATIENCE / 0.1)):
        with (
            suppress(ConnectionRefusedError),
            smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE, source_address=(source, 0)) as client,
        ):
            if login:
                client.login(login, PASSWORD)
            try:
                client.sendmail(sender, [recipient], mail)
            except smtplib.SMTPRecipientsRefused as refused:
                code, text = refused.recipients[recipient]
                return f"{code} {text.decode()}"
            return "250"
        time.sleep(0.1)
    raise TimeoutError("Postfix does not listen")


async def test_the_plan_as_printed_brings_mail_to_cases_and_blocks_plain_mail_to_enrolled_addresses(
    folder: Path, auth: Path
) -> None:
    async with running_world() as world:
        dana, omar = world.people["dana"].address, "omar@agency.example"
        enrolled = world.people["ines"].address
        (folder / "logins").write_text(f"{dana} dana\n{omar} omar\n")
        client = make_certificate(folder / "client", "mta.example")
        await open_relay(world, "starttls", client[0])
        settings: list[str] = []

        def prepare(conf: Path) -> None:
            (conf / "gateway.pem").write_bytes(client[0].read_bytes())
            (conf / "gateway.key").write_bytes(client[1].read_bytes())
            settings.extend(run_plan(world, conf) for _ in range(2))

        own = {"certificate": world.settings.tls.certificate, "key": world.settings.tls.key}
        with running_postfix(folder, SITE.format(folder=folder, auth=auth, **own), prepare) as port:
            assert settings[0] == settings[1]  # run again, it changes nothing
            assert f"{enrolled}  gateway_blocked\n" in (folder / "conf" / "gateway_enrolled").read_text()

            def ask(sender: str, recipient: str, login: str = "", source: str = EMPLOYEE) -> str:
                return say(port, sender, recipient, login=login, source=source)

            said = await asyncio.to_thread(ask, dana, world.case_address, "dana")
            assert said == "250"
            said = await asyncio.to_thread(ask, dana, enrolled, "dana")
            assert said.startswith("550 5.7.1")
            assert "Plain mail to this address is blocked. Write to the address of the case" in said
            assert await asyncio.to_thread(ask, dana, "friend@elsewhere.example", "dana") == "250"
            assert await asyncio.to_thread(ask, "bounce@secure.localhost", enrolled, "", NOTIFIER) == "250"
            forged = await asyncio.to_thread(ask, dana, world.case_address, "omar")
            assert "not owned by user omar" in forged
            outside = await asyncio.to_thread(ask, "somebody@elsewhere.example", world.case_address)
            assert outside.startswith("554 5.7.1")
            fates = await fates_of(folder, 3)
            assert fates[world.case_address].startswith("sent (250 2.6.0 T-")
            assert fates[enrolled].startswith("sent")
            await look_at_the_way(world, port, dana, folder)


async def look_at_the_way(world: World, port: int, sender: str, folder: Path) -> None:
    """`gateway doctor mail` sends one by the same way, and draws it."""
    (folder / "password").write_text(f"{PASSWORD}\n")
    signed_in = ("--login", "dana", "--password-file", str(folder / "password"))
    through = ("--through", f"localhost:{port}")
    told = await asyncio.to_thread(gateway, world, "doctor", "mail", "--from", sender, *through, *signed_in)
    assert "took it, over TLS" in told
    assert "→ mta.example: TLS" in told
    assert "gateway, by mta: 250 2.6.0 the probe has come" in told
    assert "nothing to put right" in told
    command = ["doctor", "mail", "--from", sender, *through]
    refused = await asyncio.to_thread(ended, world, *command)
    assert refused.returncode == os.EX_CONFIG
    assert "refused" in refused.stdout or "said 5" in refused.stdout
    stranger = await asyncio.to_thread(ended, world, "doctor", "mail", "--from", "nobody@elsewhere.example")
    assert stranger.returncode == os.EX_NOUSER


async def test_a_plan_stops_where_nobody_looks_at_senders(folder: Path) -> None:
    async with running_world() as world:
        client = make_certificate(folder / "client", "mta.example")
        await open_relay(world, "starttls", client[0])
        conf = folder / "conf"
        conf.mkdir()
        (conf / "main.cf").write_text("compatibility_level = 3.6\n")
        (conf / "master.cf").write_text("")
        (conf / "plan.sh").write_text(
            gateway(world, "postfix", "plan", "--folder", str(conf), "--gateway-address", NOTIFIER)
        )
        done = await asyncio.to_thread(run, conf / "plan.sh")
        assert done.returncode == 1
        assert "Set smtpd_sender_login_maps first" in done.stderr
        assert "transport_maps" not in (conf / "main.cf").read_text()
