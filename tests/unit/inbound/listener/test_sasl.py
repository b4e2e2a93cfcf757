from __future__ import annotations

import json

import pytest

from gateway.inbound.listener.sasl import Offer, read_bearer, token_wanted

TOKEN = "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="


@pytest.mark.parametrize(
    ("mechanism", "response", "name"),
    [
        # RFC 7628 section 4.1
        ("OAUTHBEARER", f"n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer {TOKEN}\1\1", ...),
        ("OAUTHBEARER", f"n,,\1auth=Bearer {TOKEN}\1\1", ""),
        ("OAUTHBEARER", f"y,,\1auth=bearer  {TOKEN}\1\1", ""),
        ("OAUTHBEARER", f"n,a=a=2Cb=3Dc,\1auth=Bearer {TOKEN}\1\1", "a,b=c"),
        ("XOAUTH2", f"user=user@example.com\1auth=Bearer {TOKEN}\1\1", ...),
        ("XOAUTH2", f"user=\1auth=Bearer {TOKEN}\1\1", ""),
    ],
)
def test_what_a_client_says_is_read(mechanism: str, response: str, name: object) -> None:
    wanted = "user@example.com" if name is ... else name
    assert read_bearer(mechanism, response.encode()) == (wanted, TOKEN)


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [
        ("OAUTHBEARER", b""),
        ("OAUTHBEARER", b"\1"),
        ("OAUTHBEARER", b"n,,\1auth=Bearer abc\1"),
        ("OAUTHBEARER", b"n,,\1auth=Basic abc\1\1"),
        ("OAUTHBEARER", b"n,,\1auth=Bearer \1\1"),
        ("OAUTHBEARER", b"n,,\1auth=Bearer a b\1\1"),
        ("OAUTHBEARER", b"n,,\1host=a\1\1"),
        ("OAUTHBEARER", b"n,,\1auth=Bearer abc\1auth=Bearer def\1\1"),
        ("OAUTHBEARER", b"p=tls-unique,,\1auth=Bearer abc\1\1"),
        ("OAUTHBEARER", b"n,a=a=2,\1auth=Bearer abc\1\1"),
        ("OAUTHBEARER", b"n,a=\xff,\1auth=Bearer abc\1\1"),
        ("OAUTHBEARER", b"n,,\1auth=Bearer \xff\1\1"),
        ("OAUTHBEARER", b"user=a\1auth=Bearer abc\1\1"),
        ("XOAUTH2", b"n,,\1auth=Bearer abc\1\1"),
        ("XOAUTH2", b"user=\xff\1auth=Bearer abc\1\1"),
    ],
)
def test_what_says_it_wrongly_says_nothing(mechanism: str, response: bytes) -> None:
    assert read_bearer(mechanism, response) is None


def test_only_what_is_on_is_offered() -> None:
    wanted = token_wanted("mail.submit", "https://login.example/.well-known/openid-configuration")
    assert Offer().mechanisms == ("PLAIN", "LOGIN")
    assert Offer(passwords=False, token_wanted=wanted).mechanisms == ("OAUTHBEARER", "XOAUTH2")
    assert Offer(token_wanted=wanted).mechanisms == ("PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2")
    assert json.loads(wanted)["status"] == "invalid_token"
