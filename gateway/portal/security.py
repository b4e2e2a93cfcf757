"""What makes a browser keep to the rules: response headers, cookies, and proof that a form is ours.

A form is believed when the browser does not say that another site sent it (Sec-Fetch-Site, Origin) *and* it carries
the token that was put into the page. The token is an HMAC under the session's own secret, so nothing is stored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from starlette.responses import Response

from gateway.domain.session import TOKEN_OCTETS
from gateway.portal.errors import CrossSite

SESSION_COOKIE = "__Host-session"
FORM_COOKIE = "__Host-form"
WAY_COOKIE = "__Host-way"
"""Not a secret: at which provider the last sign-in was, so that one is told of signing out there."""
RETURN_SECONDS = 600

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_FEATURES = (
    "accelerometer autoplay browsing-topics camera clipboard-read display-capture encrypted-media fullscreen "
    "geolocation gyroscope hid identity-credentials-get idle-detection interest-cohort local-fonts magnetometer "
    "microphone midi payment picture-in-picture publickey-credentials-create publickey-credentials-get "
    "screen-wake-lock serial usb window-management xr-spatial-tracking"
)

SECURITY_HEADERS: dict[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "strict-transport-security": "max-age=63072000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES.split()),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
}
"""On every response; a route may replace one of them, none is ever absent."""


def with_script(nonce: str) -> dict[str, str]:
    """Return the headers of a page with the one script of ours: by its nonce it runs, may use passkeys, no more."""
    policy = CONTENT_SECURITY_POLICY.replace("style-src", f"script-src 'nonce-{nonce}'; style-src", 1)
    features = SECURITY_HEADERS["permissions-policy"]
    for feature in ("publickey-credentials-create", "publickey-credentials-get"):
        features = features.replace(f"{feature}=()", f"{feature}=(self)")
    return {"content-security-policy": policy, "permissions-policy": features}


def new_secret() -> bytes:
    """Return a fresh secret for a browser that has no session yet."""
    return secrets.token_bytes(TOKEN_OCTETS)


def new_nonce() -> str:
    """Return the word by which one page's script is known to be ours."""
    return secrets.token_urlsafe(16)


def form_token(secret: bytes, purpose: str) -> str:
    """Return the token of one kind of form under a session's (or a visitor's) secret."""
    return _encoded(hmac.new(secret, b"gateway form v1\x00" + purpose.encode("utf-8"), hashlib.sha256).digest())


def require_form_token(secret: bytes | None, purpose: str, offered: str) -> None:
    """Raise CrossSite unless the form carries its token."""
    expected = form_token(secret, purpose) if secret else ""
    if not expected or not hmac.compare_digest(expected.encode(), offered.encode("utf-8", "replace")):
        raise CrossSite("The form was too old or came from elsewhere.")


def require_same_site(headers: Mapping[str, str]) -> None:
    """Raise CrossSite when the browser says that another site's page sends this.

    `Sec-Fetch-Site: none` is the person's own doing (a form sent again). `Origin: null` decides nothing: under our own
    referrer policy browsers send it from our own pages.
    """
    site = headers.get("sec-fetch-site", "none")
    origin = headers.get("origin", "null")
    if site not in ("same-origin", "none") or origin not in ("null", f"https://{headers.get('host', '')}"):
        raise CrossSite("The form came from elsewhere.")


def set_cookie(response: Response, name: str, secret: bytes) -> None:
    """Keep a secret in the browser until it is closed; no script reads it and no other site sends it along."""
    response.set_cookie(name, _encoded(secret), path="/", secure=True, httponly=True, samesite="strict")


def set_returning(response: Response, name: str, octets: bytes) -> None:
    """Keep something until the browser comes back from an identity provider, which is another site: ten minutes."""
    response.set_cookie(
        name, _encoded(octets), path="/", secure=True, httponly=True, samesite="lax", max_age=RETURN_SECONDS
    )


def attempt_cookie(provider: str) -> str:
    """Return the name of the cookie that a sign-in at a provider is kept in until the browser is back."""
    return f"__Host-at-{provider}"


def drop_cookie(response: Response, name: str) -> None:
    """Make the browser forget a secret."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")


def cookie_secret(cookies: Mapping[str, str], name: str) -> bytes | None:
    """Return the secret in a cookie, or None when there is none of the right form."""
    secret = cookie_octets(cookies, name)
    return secret if len(secret) == TOKEN_OCTETS else None


def cookie_octets(cookies: Mapping[str, str], name: str) -> bytes:
    """Return the octets in a cookie, none where there is none of the right form."""
    text = cookies.get(name, "")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
