from __future__ import annotations

import base64

import pytest
from starlette.responses import Response

from gateway.portal.errors import CrossSite
from gateway.portal.security import (
    CONTENT_SECURITY_POLICY,
    SECURITY_HEADERS,
    SESSION_COOKIE,
    cookie_secret,
    drop_cookie,
    form_token,
    new_secret,
    require_form_token,
    require_same_site,
    set_cookie,
)

SECRET = b"s" * 32


def test_a_form_is_believed_with_the_token_of_its_session_and_purpose_only() -> None:
    require_form_token(SECRET, "write", form_token(SECRET, "write"))
    for secret, purpose, offered in (
        (SECRET, "write", ""),
        (SECRET, "write", form_token(SECRET, "sign-out")),
        (SECRET, "write", form_token(b"t" * 32, "write")),
        (SECRET, "write", form_token(SECRET, "write")[:-1]),
        (SECRET, "write", "ü"),
        (None, "write", form_token(SECRET, "write")),
        (None, "write", ""),
    ):
        with pytest.raises(CrossSite):
            require_form_token(secret, purpose, offered)


def test_a_token_does_not_tell_its_secret() -> None:
    token = form_token(SECRET, "write")
    assert base64.urlsafe_b64encode(SECRET).decode().rstrip("=") not in token
    assert len(token) == 43


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example", "host": "portal.example"},
        {"origin": "http://portal.example", "host": "portal.example"},
        {"origin": "https://portal.example:8443", "host": "portal.example"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example", "host": "portal.example"},
    ],
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(CrossSite):
        require_same_site(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"sec-fetch-site": "none", "origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "https://portal.example:1", "host": "portal.example:1"},
    ],
)
def test_a_form_of_ours_passes(headers: dict[str, str]) -> None:
    require_same_site(headers)


def test_a_cookie_is_for_this_host_alone_and_for_no_script() -> None:
    response = Response()
    secret = new_secret()
    set_cookie(response, SESSION_COOKIE, secret)
    name, _, rest = response.headers["set-cookie"].partition("=")
    assert name == "__Host-session"
    for attribute in ("; HttpOnly", "; Path=/", "; SameSite=strict", "; Secure"):
        assert attribute in rest
    assert "Domain" not in rest
    assert "Max-Age" not in rest
    assert cookie_secret({SESSION_COOKIE: rest.split(";")[0]}, SESSION_COOKIE) == secret


def test_a_dropped_cookie_is_over() -> None:
    response = Response()
    drop_cookie(response, SESSION_COOKIE)
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize("text", ["", "a", "!" * 43, "A" * 42, "A" * 60, "ü" * 43])
def test_a_cookie_of_another_form_is_none(text: str) -> None:
    assert cookie_secret({SESSION_COOKIE: text}, SESSION_COOKIE) is None


def test_no_page_runs_a_script_or_loads_from_elsewhere() -> None:
    assert "script-src" not in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")
    assert SECURITY_HEADERS["cache-control"] == "no-store"
    assert SECURITY_HEADERS["referrer-policy"] == "no-referrer"
