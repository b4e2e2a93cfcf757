"""Tools that others wrote to find what is wrong with a mail server: Nmap's scripts for SMTP, and testssl.sh."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.demo.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

OF_A_TRIAL = {"cert_chain_of_trust", "cert_revocation", "DNS_CAArecord"}
"""What testssl.sh says of any certificate that a site has signed itself, for a name that no DNS knows."""
WEAK = {"LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"}
"""Its severities of a fault; WARN is where it says that it could not look, which a busy machine makes it say."""
LOOKED_AT = {"TLS1_3", "cipherlist_NULL", "DROWN", "cert_signatureAlgorithm", "heartbleed", "secure_client_renego"}
"""One finding of each of its sections that are asked for, and of its last ones."""


def run(*command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: make peers")
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=240, check=False).stdout


async def test_nmap_finds_no_open_relay_no_users_and_no_weak_cipher(world: World) -> None:
    starttls, implicit = world.ports.starttls, world.ports.tls
    scripts = (
        "+smtp-commands,+smtp-open-relay,+smtp-enum-users,+smtp-ntlm-info,+smtp-vuln-cve2010-4344,"
        "+smtp-vuln-cve2011-1720,+ssl-enum-ciphers,+sslv2,+ssl-dh-params,+ssl-ccs-injection,+ssl-heartbleed"
    )
    said = run(
        *("nmap", "-Pn", "-n", "-p", f"{starttls},{implicit}", "--script", scripts),
        *("--script-args", "smtp-enum-users.methods={VRFY,EXPN,RCPT}", "localhost"),
    )
    assert "PIPELINING, SIZE" in said
    assert "Server isn't an open relay, authentication needed" in said
    assert "Couldn't perform user enumeration, authentication needed" in said
    assert "least strength: A" in said
    assert "State: VULNERABLE" not in said
    assert "LIKELY VULNERABLE" not in said


async def test_testssl_has_nothing_against_starttls(world: World, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    said = run(
        *("testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(report), "-t", "smtp"),
        *("--protocols", "--std", "--fs", "--server-defaults", "--vulnerable", f"localhost:{world.ports.starttls}"),
    )
    found = json.loads(report.read_text())
    judged = {one["id"]: one["finding"] for one in found}
    assert judged.keys() >= LOOKED_AT, said
    against = {one["id"] for one in found if one["severity"] in WEAK}
    assert against <= OF_A_TRIAL, {name: judged[name] for name in against}
