"""What was typed outlasts the session: who sends a message after their sign-in has ended gets its text back.

Nothing of it is believed and nothing is stored: the text goes back to the browser it came from, in a form that is shown
once more, signed in, before it can be sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.errors import NotAuthenticated
from gateway.portal.forms import chunks
from gateway.portal.pages import Pages
from gateway.portal.uploads import Field, FileBegins, FormReader, UploadLimits, boundary_of

SUBMISSION_KEY = re.compile(r"[0-9a-f]{32}\Z")


async def give_back(pages: Pages, request: Request, limits: UploadLimits) -> Response:
    """Read the form; return the page with what was typed. Raises NotAuthenticated for what is no such form."""
    return kept(pages, request, await _fields(request, limits))


def kept(pages: Pages, request: Request, fields: Mapping[str, str]) -> Response:
    """Return the page with what was typed. Raises NotAuthenticated for fields of no such form."""
    key = fields.get("submission_key", "")
    if not SUBMISSION_KEY.match(key):
        raise NotAuthenticated("Please sign in.")
    return pages.page(
        request,
        "kept.html",
        status=401,
        action=f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path,
        submission_key=key,
        subject=fields.get("subject", ""),
        text=fields.get("text", ""),
    )


async def _fields(request: Request, limits: UploadLimits) -> dict[str, str]:
    """Return the fields of a form up to its first file; the rest is not read."""
    reader = FormReader(boundary_of(request.headers.get("content-type", "")), max_field_octets=limits.field_octets)
    fields: dict[str, str] = {}
    async for octets in chunks(request):
        events = reader.feed(octets)
        fields |= {event.name: event.value for event in events if isinstance(event, Field)}
        if any(isinstance(event, FileBegins) and event.filename for event in events):
            break
    return fields
