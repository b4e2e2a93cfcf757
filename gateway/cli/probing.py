"""What `gateway doctor mail` asks for: a sender who is known here, a host, who signs in there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from gateway.casework.authorship import writer_at
from gateway.cli.asking import read
from gateway.cli.output import now_us
from gateway.config import Settings
from gateway.doctor_mail import Errand, arrival_of, send_one_through
from gateway.domain.address import parse_address
from gateway.domain.errors import ConfigError, Malformed, UnknownRecipient
from gateway.findings import Finding

_PLACE = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})\Z")


def send_probe(
    settings: Settings, sender: str, through: str, login: str, password_file: Path | None, wait: int
) -> Sequence[Finding]:
    """Send one, and return what was found. Raises UnknownRecipient for a sender who is nobody of the office here."""
    address = parse_address(sender)
    if read(settings, lambda rows: writer_at(rows, address, now_us())) is None:
        raise UnknownRecipient(f"{sender} is no employee's address and no team's. See: gateway employee list")
    found = _PLACE.match(through)
    if through and (found is None or int(found[2]) > 65535):
        raise Malformed("--through is a host and its port: mta.example.gov:587")
    if bool(login) != (password_file is not None):
        raise Malformed("--login and --password-file go together.")
    errand = Errand(
        sender=address,
        host=found[1].strip("[]") if found else "",
        port=int(found[2]) if found else 0,
        username=login or None,
        password=None if password_file is None else _first_line(password_file),
        seconds=float(wait),
    )
    way = asyncio.run(
        send_one_through(
            settings, errand, lambda probe, since: read(settings, lambda rows: arrival_of(rows, probe, since))
        )
    )
    return way.findings


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path} cannot be read. It has the password, on its first line.") from problem
