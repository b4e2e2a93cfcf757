"""Mail tools that sign in with an access token of a real OpenID provider (RFC 7628), and every way it may be wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import logging
import secrets
import shutil
import smtplib
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import pytest_asyncio
import structlog

from gateway.authenticator.client import AuthenticatorClient
from gateway.authenticator.policy import Policy
from gateway.casework.addressing import Mailroom
from gateway.domain.assurance import Assurance
from gateway.domain.credential import MailTokens, discovery_address
from gateway.domain.errors import AuthenticatorUnavailable, NotAuthenticated, RateExceeded
from gateway.identity.providers import Provider
from gateway.inbound.listener import DoorLimits, Listener, Offer, open_listener, token_wanted
from gateway.inbound.submission import SubmissionDoor
from gateway.portal.site import Way
from tests.openid_provider import IAL2, AtProvider, TestProvider, query_of, running_provider
from tests.portal.browser import Browser, hidden
from tests.portal.house import DOMAIN, House, Rules, Someone, make_certificate, open_house

SECRET = b"a secret of the portal"
AUDIENCE = "https://gateway.example/mail"
SCOPE = "mail.submit"
BACK = "https://tool.example/back"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Scene:
    house: House
    provider: TestProvider
    starttls: Listener
    tls: Listener
    case_address: str
    ines: Someone
    authenticator: AuthenticatorClient

    async def token(self, *, account: str = "ines-account", scope: str = SCOPE, audience: str = AUDIENCE) -> str:
        """An access token as a mail tool gets it: by the code flow, from the provider."""
        await self.provider.set(account=account, acr=IAL2, decline=False, away=False, idToken="", userinfo=None)
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": "mail-tool",
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": f"openid {scope}",
            "resource": audience,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        at_provider = AtProvider(self.provider)
        try:
            back = await at_provider.go(f"{self.provider.issuer}/auth?{urlencode(asked)}", BACK)
            fields = {"grant_type": "authorization_code", "code": query_of(back)["code"], "redirect_uri": BACK}
            fields |= {"client_id": "mail-tool", "client_secret": "tool secret", "code_verifier": verifier}
            answer = await at_provider.http.post(f"{self.provider.issuer}/token", data={**fields, "resource": audience})
        finally:
            await at_provider.close()
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def forged(self, *, by: str = "own", header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        told = {"iss": self.provider.issuer, "sub": "ines-account", "aud": AUDIENCE, "scope": SCOPE}
        told |= {"iat": now, "exp": now + 300, **claims}
        head = {"typ": "at+jwt", **(header or {})}
        return await self.provider.forge({k: v for k, v in told.items() if v is not None}, by=by, header=head)


def provider_clients(provider: TestProvider, house: House) -> list[dict[str, Any]]:
    secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET.decode()}
    tool = {"token_endpoint_auth_method": "client_secret_post", "client_secret": "tool secret"}
    return [
        provider.client("staff", house.url, **secret),
        {**provider.client("tool", house.url, **tool), "client_id": "mail-tool", "redirect_uris": [BACK]},
    ]


@contextlib.asynccontextmanager
async def opened(folder: Any, *, asks: bool, passwords: bool) -> AsyncIterator[Scene]:
    certificate = make_certificate(folder)
    async with running_provider(folder, certificate, folder / "tls.key") as provider:

        def ways(portal: str) -> list[Provider]:
            more = {"levels": {IAL2: Assurance(2, 2)}, "acr_values": (IAL2,)}
            more |= {"mail": MailTokens(AUDIENCE, SCOPE, asks)}
            return [provider.way("staff", portal, "generic", "client_secret_basic", SECRET, **more)]

        rules = Rules(Policy(app_passwords=passwords))
        async with open_house(providers=ways, ways=(Way("staff", "Staff"),), rules=rules) as house:
            await provider.set(build=True, clients=provider_clients(provider, house), acrValues=[IAL2])
            await provider.set(tokens="opaque" if asks else "jwt")
            ines = await house.add_employee("Ines Adler")
            case_id, reference = await house.open_case(ines)
            await house.add_user("Raul Vega", [case_id])
            async with doors(house, provider, passwords=passwords) as (starttls, tls, client):
                scene = Scene(house, provider, starttls, tls, f"{reference.lower()}@{DOMAIN}", ines, client)
                await link(scene, ines, "ines-account")
                yield scene


@contextlib.asynccontextmanager
async def doors(
    house: House, provider: TestProvider, *, passwords: bool
) -> AsyncIterator[tuple[Listener, Listener, AuthenticatorClient]]:
    client = AuthenticatorClient(house.folder / "authenticator.sock")
    mailroom = Mailroom(DOMAIN, frozenset({"agency.example"}), "the desk", house.authority)
    door = SubmissionDoor(house.database, house.blobs, client, {"cwa": mailroom}, house.deposit_key, lambda: None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(house.certificate, house.folder / "tls.key")
    offer = Offer(passwords, token_wanted(SCOPE, discovery_address(provider.issuer)))
    more: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "tls": context, "hostname": DOMAIN, "require_auth": True}
    limits = DoorLimits(error_delay_seconds=0.001, guess_seconds=0.001)
    starttls = await open_listener(door, name="starttls", implicit_tls=False, limits=limits, offer=offer, **more)
    tls = await open_listener(door, name="tls", implicit_tls=True, limits=limits, offer=offer, **more)
    try:
        yield starttls, tls, client
    finally:
        await asyncio.gather(starttls.close(1), tls.close(1), client.close())


async def link(scene: Scene, person: Someone, account: str) -> None:
    """Let a person link an account of theirs, by a first code."""
    house = scene.house
    claims = {"email": person.address, "email_verified": True}
    await scene.provider.set(account=account, acr=IAL2, claims=claims, decline=False, away=False)
    made = await house.authenticator_operator.make_first_code()
    expires = int((house.clock().timestamp() + 3600) * 1_000_000)
    await house.operator.enact(
        "add_credential", person=person.id, kind="first_code", label="code", lookup=made.lookup, expires_us=expires
    )
    async with Browser(house) as browser:
        at_provider = AtProvider(scene.provider)
        fields = hidden((await browser.see("/first-sign-in")).text)
        sent = {**fields, "first_code": made.clear, "provider": "staff"}
        begun = await browser.http.post("/first-sign-in", data=sent)
        address = begun.text.split('content="0; url=')[1].split('"')[0].replace("&amp;", "&")
        page = await browser.see(await at_provider.go(address, house.url))
        await at_provider.close()
    assert "You are signed in" in page.text


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["keys", "introspection"])
async def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("tokens")
    async with opened(folder, asks=request.param == "introspection", passwords=False) as one:
        yield one


def letter(scene: Scene, subject: str) -> bytes:
    head = f"From: Ines <{scene.ines.address}>\r\nTo: {scene.case_address}\r\nSubject: {subject}\r\n"
    return f"{head}Message-ID: <{subject}@agency.example>\r\n\r\nHello.\r\n".encode()


def by_curl(scene: Scene, door: str, mechanism: str, token: str, octets: bytes) -> str:
    if shutil.which("curl") is None:
        pytest.skip("needs curl: make peers")
    port = scene.starttls.port if door == "starttls" else scene.tls.port
    scheme = "smtp" if door == "starttls" else "smtps"
    command = [
        "curl", "--silent", "--show-error", "--verbose", "--disable", "--ssl-reqd", "--cacert",
        str(scene.house.certificate), f"{scheme}://localhost:{port}", "--user", scene.ines.address,
        "--oauth2-bearer", token, "--login-options", f"AUTH={mechanism}", "--mail-from", scene.ines.address,
        "--mail-rcpt", scene.case_address, "--upload-file", "-",
    ]  # fmt: skip
    done = subprocess.run(command, input=octets, capture_output=True, timeout=60, check=False)
    return done.stderr.decode("utf-8", "replace")


def by_smtplib(scene: Scene, door: str, mechanism: str, token: str, octets: bytes) -> str:
    trust = ssl.create_default_context(cafile=scene.house.certificate)
    user = scene.ines.address
    said = f"n,a={user},\x01auth=Bearer {token}\x01\x01" if mechanism == "OAUTHBEARER" else ""
    said = said or f"user={user}\x01auth=Bearer {token}\x01\x01"
    implicit = door == "tls"
    port = scene.tls.port if implicit else scene.starttls.port
    more = {"context": trust} if implicit else {}
    with (smtplib.SMTP_SSL if implicit else smtplib.SMTP)("localhost", port, timeout=60, **more) as client:
        if not implicit:
            client.starttls(context=trust)
        client.ehlo()
        client.auth(mechanism, lambda challenge=None: said if challenge is None else "")
        client.mail(user)
        client.rcpt(scene.case_address)
        code, text = client.data(octets)
    return f"< {code} {text.decode()}"


@contextlib.contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that any logger says at DEBUG, ours and the libraries'."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root, before = logging.getLogger(), structlog.get_config()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=structlog.WriteLoggerFactory(file=heard),
        cache_logger_on_first_use=False,
    )
    try:
        yield heard
    finally:
        structlog.configure(**before)
        root.removeHandler(handler)
        root.setLevel(level)


TOOLS: dict[str, Callable[[Scene, str, str, str, bytes], str]] = {"curl": by_curl, "smtplib": by_smtplib}


@pytest.mark.parametrize("door", ["starttls", "tls"])
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize("tool", TOOLS)
async def test_a_mail_tool_hands_in_mail_with_a_token_and_no_log_has_it(
    scene: Scene, tool: str, mechanism: str, door: str
) -> None:
    token = await scene.token()
    with everything_logged() as heard:
        octets = letter(scene, f"{tool}-{mechanism}-{door}".lower())
        said = await asyncio.to_thread(TOOLS[tool], scene, door, mechanism, token, octets)
    assert "< 250 2.6.0 " in said, said
    told = heard.getvalue()
    assert '"kind": "access-token", "outcome": "accepted"' in told
    assert token not in told
    assert token[:40] not in told
    assert "ines@" not in told


async def test_only_what_is_on_is_offered_and_passwords_are_refused_in_words(scene: Scene) -> None:
    trust = ssl.create_default_context(cafile=scene.house.certificate)

    def converse() -> tuple[str, tuple[int, bytes]]:
        with smtplib.SMTP_SSL("localhost", scene.tls.port, timeout=60, context=trust) as client:
            client.ehlo()
            offered = client.esmtp_features["auth"]
            plain = base64.b64encode(b"\0ines\0secret").decode()
            return offered.strip(), client.docmd("AUTH", f"PLAIN {plain}")

    offered, answer = await asyncio.to_thread(converse)
    assert offered == "OAUTHBEARER XOAUTH2"
    words = b"5.5.4 app passwords are off here; sign in by a mechanism that EHLO lists"
    assert answer == (504, words)
    with pytest.raises(NotAuthenticated, match="App passwords are off"):
        await scene.authenticator.check_app_password("ines", "secret", "192.0.2.200")


async def test_a_failure_says_in_json_which_token_is_wanted_and_then_535(scene: Scene) -> None:
    trust = ssl.create_default_context(cafile=scene.house.certificate)

    def converse(mechanism: str, first: str, end: str) -> list[tuple[int, bytes]]:
        with smtplib.SMTP_SSL("localhost", scene.tls.port, timeout=60, context=trust) as client:
            client.ehlo()
            sent = base64.b64encode(first.encode()).decode()
            return [client.docmd("AUTH", f"{mechanism} {sent}"), client.docmd(end), client.docmd("NOOP")]

    for mechanism, first, end in (
        ("OAUTHBEARER", "n,,\x01auth=Bearer nonsense.of.mine\x01\x01", "AQ=="),
        ("XOAUTH2", "user=ines\x01auth=Bearer nonsense.of.mine\x01\x01", ""),
    ):
        challenge, refused, after = await asyncio.to_thread(converse, mechanism, first, end)
        assert challenge[0] == 334
        assert json.loads(base64.b64decode(challenge[1])) == {
            "status": "invalid_token",
            "scope": SCOPE,
            "openid-configuration": f"{scene.provider.issuer}/.well-known/openid-configuration",
        }
        assert refused[0] == 535
        assert refused[1].startswith(b"5.7.8 ")
        assert after[0] == 250


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "https://gateway.example/other"},
    "the audience of the portal": {"aud": "client-staff"},
    "no audience": {"aud": None},
    "another scope": {"scope": "mail.read"},
    "no scope": {"scope": None},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": None},
    "not valid yet": {"nbf": 4_000_000_000},
    "of nobody": {"sub": None},
    "of an account that nobody linked, with the address": {"sub": "a-stranger", "email": "ines@agency.example"},
    "by a stranger's key": {"by": "stranger"},
    "by nobody": {"by": "nobody", "header": {"alg": "none"}},
    "by a shared secret": {"by": "secret", "header": {"alg": "HS256"}},
    "of another kind": {"header": {"typ": "logout+jwt"}},
    "a security event": {"header": {"typ": "secevent+jwt"}},
}


@pytest.mark.parametrize("scene", ["keys"], indirect=True)
@pytest.mark.parametrize("what", WRONG)
async def test_a_token_that_is_not_for_this_is_refused(scene: Scene, what: str) -> None:
    number = list(WRONG).index(what)
    good = await scene.forged()
    assert (await scene.authenticator.check_token("", good, "192.0.2.1")).person_id == scene.ines.id
    with pytest.raises(NotAuthenticated):
        await scene.authenticator.check_token("", await scene.forged(**WRONG[what]), f"198.51.100.{number}")


async def test_a_real_token_with_another_scope_or_audience_is_refused(scene: Scene) -> None:
    for number, token in enumerate((
        await scene.token(scope="mail.read"),
        await scene.token(audience="https://gateway.example/other"),
        await scene.token(account="a-stranger"),
    )):  # fmt: skip
        with pytest.raises(NotAuthenticated):
            await scene.authenticator.check_token("", token, f"203.0.113.{number}")


async def test_a_name_beside_a_token_is_its_persons_own_or_it_is_refused(scene: Scene) -> None:
    token = await scene.token()
    for name in ("", "ines", "INES@agency.example"):
        assert (await scene.authenticator.check_token(name, token, "192.0.2.2")).person_id == scene.ines.id
    with pytest.raises(NotAuthenticated):
        await scene.authenticator.check_token("omar@agency.example", token, "192.0.2.2")


async def test_wrong_tokens_are_slowed_down_as_passwords_are(scene: Scene) -> None:
    with scene.house.clock.standing():
        for _ in range(3):
            with pytest.raises(NotAuthenticated):
                await scene.authenticator.check_token("guess@agency.example", "a.b.c", "192.0.2.77")
        with pytest.raises(RateExceeded):
            await scene.authenticator.check_token("guess@agency.example", "a.b.c", "192.0.2.77")
    assert await scene.authenticator.check_token("", await scene.token(), "192.0.2.77")


async def test_without_the_provider_it_is_later_and_not_no(scene: Scene) -> None:
    token = await scene.token()
    await scene.provider.do("rotate")
    unknown = await scene.forged()
    await scene.provider.set(away=True)
    scene.house.sign_in_server._openid._parties["staff"]._documents.clear()
    try:
        for one in (token, unknown):
            with pytest.raises(AuthenticatorUnavailable, match="provider does not answer"):
                await scene.authenticator.check_token("", one, "192.0.2.3")
    finally:
        await scene.provider.set(away=False)
        scene.house.sign_in_server._openid._parties["staff"]._away_until = 0.0


async def test_an_account_that_is_unlinked_hands_in_no_mail(scene: Scene) -> None:
    omar = await scene.house.add_employee("Omar Idris")
    await link(scene, omar, "omar-account")
    token = await scene.token(account="omar-account")
    principal = await scene.authenticator.check_token("omar", token, "192.0.2.4")
    assert principal.person_id == omar.id
    await scene.house.operator.enact("revoke_credential", person=omar.id, credential=principal.credential_id)
    with pytest.raises(NotAuthenticated):
        await scene.authenticator.check_token("omar", token, "192.0.2.4")


@pytest.mark.parametrize("scene", ["introspection"], indirect=True)
async def test_a_token_that_the_provider_took_back_is_refused_at_once(scene: Scene) -> None:
    token = await scene.token()
    assert await scene.authenticator.check_token("", token, "192.0.2.5")
    fields = {"token": token, "client_id": "mail-tool", "client_secret": "tool secret"}
    async with httpx2.AsyncClient(verify=scene.provider.trust) as http:
        revoked = await http.post(f"{scene.provider.issuer}/token/revocation", data=fields)
    assert revoked.status_code == 200, revoked.text
    with pytest.raises(NotAuthenticated):
        await scene.authenticator.check_token("", token, "192.0.2.5")
