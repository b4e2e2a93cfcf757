"""The portal under its other name gives the MTA-STS policy to whoever asks, and nothing else."""

from __future__ import annotations

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from gateway.domain.mta_sts import PolicyMode, policy_id, policy_text
from gateway.outbound.mta_sts import Mode, parse
from gateway.portal.guard import Guard
from gateway.portal.policy_host import PolicyHost

HOST = "mta-sts.gateway.example"
PATH = "/.well-known/mta-sts.txt"
POLICY = policy_text(PolicyMode.ENFORCE, ["mx.gateway.example", "*.backup.example"])


async def front(_request: Request) -> Response:
    return PlainTextResponse("the portal")


async def asked(method: str, host: str, path: str) -> httpx2.Response:
    guard = Guard(
        Router([Route("/", front)]), "gateway.example", lambda _, answer, __: Response(status_code=answer.status)
    )
    app = PolicyHost(guard, HOST, POLICY)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://x") as client:
        return await client.request(method, path, headers={"host": host})


@pytest.mark.parametrize("host", [HOST, HOST.upper(), f"{HOST}:443"])
async def test_the_policy_is_what_other_sites_read(host: str) -> None:
    answer = await asked("GET", host, PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    policy = parse(answer.text)
    assert (policy.mode, policy.covers("mx.gateway.example"), policy.covers("a.backup.example")) == (
        Mode.ENFORCE, True, True,
    )  # fmt: skip
    assert policy.max_age.days == 7


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", PATH), ("GET", "/sign-in"), ("GET", f"{PATH}/x")])
async def test_nothing_else_is_there(method: str, path: str) -> None:
    answer = await asked(method, HOST, path)
    assert answer.status_code == 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_portal_itself_is_where_it_was() -> None:
    assert (await asked("GET", "gateway.example", "/")).text == "the portal"
    assert (await asked("GET", "elsewhere.example", PATH)).status_code == 421
    assert (await asked("GET", "gateway.example", PATH)).status_code == 404


def test_the_id_changes_with_the_policy_alone() -> None:
    assert policy_id(POLICY) == policy_id(policy_text(PolicyMode.ENFORCE, ["mx.gateway.example", "*.backup.example"]))
    assert policy_id(POLICY) != policy_id(policy_text(PolicyMode.TESTING, ["mx.gateway.example", "*.backup.example"]))
