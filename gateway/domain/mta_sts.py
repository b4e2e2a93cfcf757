"""The MTA-STS policy that a site gives of its own mail hosts (RFC 8461 section 3.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum

MAX_AGE_SECONDS = 604_800
PATH = "/.well-known/mta-sts.txt"


class PolicyMode(StrEnum):
    """What others are to do where TLS with our hosts fails: nothing at all is said, report it, or not deliver."""

    OFF = "off"
    TESTING = "testing"
    ENFORCE = "enforce"


def policy_host(domain: str) -> str:
    """Return the host that serves a domain's policy."""
    return f"mta-sts.{domain}"


def policy_text(mode: PolicyMode, hosts: Iterable[str]) -> str:
    """Return the policy, lines with CRLF."""
    lines = ("version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), f"max_age: {MAX_AGE_SECONDS}")
    return "".join(f"{line}\r\n" for line in lines)


def policy_id(text: str) -> str:
    """Return an id for the policy's record in DNS that changes with it, and not without."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
