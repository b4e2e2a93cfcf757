"""MTA-STS (RFC 8461): what a domain says of the TLS of its own hosts, read as it was written and no more.

Also the fetching: one GET by HTTPS to an address that DNS gave, with an end, a cap, no redirect and no cookie.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import httpx2

from gateway.outbound.names import is_host
from gateway.store.tls_outcomes import ResultType

MOST_OCTETS: Final = 64 * 1024
MOST_HOSTS: Final = 100
SECONDS: Final = 10.0
LONGEST: Final = timedelta(seconds=31_557_600)
_ID = re.compile(r"[A-Za-z0-9]{1,32}\Z")
_PATH = "/.well-known/mta-sts.txt"
_PLAIN = {"Accept-Encoding": "identity", "User-Agent": "mta-sts"}


class Mode(StrEnum):
    """What a policy asks for (section 3.2)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `hosts` are names or `*.` with the names above them."""

    mode: Mode
    hosts: tuple[str, ...]
    max_age: timedelta

    def covers(self, host: str) -> bool:
        """Tell whether a host is among those named: `*.` stands for one label (section 4.1)."""
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts


class NoPolicy(Exception):
    """A policy could not be had; `result` says why in the words of reports."""

    def __init__(self, result: ResultType) -> None:
        super().__init__(result)
        self.result = result


def policy_id(texts: Iterable[bytes]) -> str | None:
    """Return the id in the TXT records of `_mta-sts.DOMAIN`; None where there is no policy, or no one id of it."""
    own = [text.decode("ascii", "replace") for text in texts if re.match(rb"v=STSv1[ \t]*;", text)]
    if len(own) != 1:
        return None
    fields = [piece.partition("=") for piece in own[0].split(";")[1:]]
    ids = [value.strip(" \t") for key, _, value in fields if key.strip(" \t") == "id"]
    return ids[0] if len(ids) == 1 and _ID.match(ids[0]) else None


def parse(body: str) -> Policy:
    """Read a policy (section 3.2). Raises NoPolicy; keys that are not known are passed over."""
    fields: dict[str, str] = {}
    hosts: list[str] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        key, colon, value = (piece.strip(" \t") for piece in line.partition(":"))
        if line.strip(" \t") and not colon:
            raise NoPolicy(ResultType.STS_POLICY_INVALID)
        if key == "mx":
            hosts.append(value.lower().removesuffix("."))
        else:
            fields.setdefault(key, value)
    age = fields.get("max_age", "")
    if fields.get("version") != "STSv1" or fields.get("mode") not in list(Mode) or not re.fullmatch("[0-9]{1,10}", age):
        raise NoPolicy(ResultType.STS_POLICY_INVALID)
    mode = Mode(fields["mode"])
    named = [host for host in hosts if is_host(host.removeprefix("*."))]
    if len(named) < len(hosts) or len(hosts) > MOST_HOSTS or (mode is not Mode.NONE and not hosts):
        raise NoPolicy(ResultType.STS_POLICY_INVALID)
    return Policy(mode, tuple(hosts), min(timedelta(seconds=int(age)), LONGEST))


async def fetch(host: str, address: str, port: int, tls: ssl.SSLContext) -> str:
    """Return the policy that a policy host at an address gives. Raises NoPolicy, within `SECONDS`."""
    place = f"[{address}]" if ":" in address else address
    try:
        async with asyncio.timeout(SECONDS), httpx2.AsyncClient(verify=tls, trust_env=False, timeout=SECONDS) as client:
            return await _read(client, f"https://{place}:{port}{_PATH}", host)
    except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as problem:
        raise NoPolicy(_why(problem)) from None


async def _read(client: httpx2.AsyncClient, url: str, host: str) -> str:
    body = b""
    request = client.build_request("GET", url, headers={"Host": host, **_PLAIN}, extensions={"sni_hostname": host})
    request.extensions["timeout"] = httpx2.Timeout(SECONDS).as_dict()
    answer = await client.send(request, stream=True, follow_redirects=False)
    try:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status_code != 200 or kind != "text/plain" or "content-encoding" in answer.headers:
            raise NoPolicy(ResultType.STS_POLICY_FETCH_ERROR)
        async for block in answer.aiter_raw():
            body += block
            if len(body) > MOST_OCTETS:
                raise NoPolicy(ResultType.STS_POLICY_INVALID)
    finally:
        await answer.aclose()
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise NoPolicy(ResultType.STS_POLICY_INVALID) from None


def _why(problem: BaseException | None) -> ResultType:
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return ResultType.STS_WEBPKI_INVALID
        problem = problem.__cause__ or problem.__context__
    return ResultType.STS_POLICY_FETCH_ERROR
