"""A browser without pictures and scripts: keeps cookies, finds forms, sends them as a person would."""

from __future__ import annotations

import html
import re
import ssl
from types import TracebackType
from typing import Self

import httpx2

from tests.portal.house import PASSWORD, House, Someone

Files = list[tuple[str, bytes, str]]


class Browser:
    """One person's browser at one house. Redirects are told, not followed."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.http = httpx2.AsyncClient(
            base_url=house.url, verify=ssl.create_default_context(cafile=house.certificate), timeout=120
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def see(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def try_sign_in(self, username: str, password: str, code: str) -> httpx2.Response:
        page = await self.see("/sign-in")
        return await self.http.post(
            "/sign-in", data={**hidden(page.text), "username": username, "password": password, "code": code}
        )

    async def sign_in(self, someone: Someone) -> None:
        answer = await self.try_sign_in(someone.username, PASSWORD, self.house.code(someone))
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == "/cases"

    async def write(
        self, path: str, subject: str, text: str, files: Files | None = None, **fields: str
    ) -> httpx2.Response:
        """Fill in the form of a page and send it."""
        page = await self.see(path)
        action = html.unescape(re.search(r'<form class="usa-form usa-form--large"[^>]* action="([^"]+)"', page.text)[1])
        return await self.send(action, {**hidden(page.text), "subject": subject, "text": text, **fields}, files)

    async def send(self, action: str, fields: dict[str, str], files: Files | None = None) -> httpx2.Response:
        parts: list[tuple[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]]] = [
            (name, (None, value)) for name, value in fields.items()
        ]
        parts += [("files", file) for file in files or [("", b"", "application/octet-stream")]]
        return await self.http.post(action, files=parts)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the last form that has them."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
