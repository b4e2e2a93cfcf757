"""The demo's one page: two ordinary mailboxes and the vault's disk, live, with a search of the disk for any words."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway import resources
from gateway.demo.catcher import Caught, MailCatcher
from gateway.demo.people import DemoPerson
from gateway.demo.provider import TITLE
from gateway.demo.search import SearchResult

GLIMPSE_OCTETS = 96
MAX_FILES = 40
MAX_BODY = 4096


@dataclass(frozen=True, slots=True)
class Scene:
    """What the page shows: two addresses, where the portal is, who can sign in there and how, and how to search.

    `issuer` is the address of the demo's identity provider; empty where there is none.
    """

    employee: str
    outside: str
    portal: str
    issuer: str
    people: Collection[DemoPerson]
    words: str
    vault: Path
    code: Callable[[str], str]
    search: Callable[[str], SearchResult]


class DemoPage:
    """Serves the page on loopback, without TLS: it shows only what is invented, ciphertext, or plain mail anyway."""

    def __init__(self, scene: Scene, catcher: MailCatcher) -> None:
        self._scene = scene
        self._catcher = catcher
        loader = jinja2.FileSystemLoader(resources.templates_folder() / "demo")
        self._templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self._server: _QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the port is taken."""
        config = uvicorn.Config(
            self._app(), host=host, port=port, log_config=None, access_log=False, lifespan="off", server_header=False
        )
        config.load()
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve())
        await asyncio.wait({self._task, asyncio.create_task(self._server.ready.wait())}, return_when="FIRST_COMPLETED")
        if not self._server.started:
            raise OSError(f"port {port} is taken")

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/mailbox/{whose}", self._mailbox),
                Route("/disk", self._disk),
                Route("/search", self._search, methods=["POST"]),
                Route("/code/{key}", self._code),
                Route("/demo.css", _stylesheet),
            ]
        )

    async def _index(self, _request: Request) -> Response:
        scene = self._scene
        return self._page(
            "index.html",
            employee=scene.employee,
            outside=scene.outside,
            portal=scene.portal,
            issuer=scene.issuer,
            provider=TITLE,
            people=scene.people,
            words=scene.words,
        )

    async def _mailbox(self, request: Request) -> Response:
        whose = request.path_params["whose"]
        address = {"employee": self._scene.employee, "outside": self._scene.outside}.get(whose)
        if address is None:
            return PlainTextResponse("There is no such mailbox.", 404)
        mails = await asyncio.to_thread(self._catcher.mails_to, address)
        rows = [_mail_row(mail) for mail in reversed(mails)]
        return self._page("mailbox.html", title=f"Mailbox of {address}", mails=rows)

    async def _disk(self, _request: Request) -> Response:
        files = await asyncio.to_thread(_files, self._scene.vault)
        return self._page("disk.html", files=files, result=None)

    async def _search(self, request: Request) -> Response:
        body = await request.body()
        words = parse_qs(body[:MAX_BODY].decode("utf-8", "replace")).get("words", [""])[0].strip()
        if not words:
            return PlainTextResponse("Give at least one word to search for.", 400)
        result = await asyncio.to_thread(self._scene.search, words)
        return self._page("disk.html", files=[], result=result)

    async def _code(self, request: Request) -> Response:
        key = request.path_params["key"]
        who = next((one for one in self._scene.people if one.key == key and one.seed), None)
        if who is None:
            return PlainTextResponse("There is nobody of that name with an authenticator app.", 404)
        return self._page("code.html", code=self._scene.code(key), username=who.username)

    def _page(self, template: str, **values: object) -> Response:
        html = self._templates.get_template(template).render(values)
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'",
            "Cache-Control": "no-store",
        }
        return HTMLResponse(html, headers=headers)


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to the process it runs in, and says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _mail_row(mail: Caught) -> dict[str, str]:
    parsed = mail.mail
    return {
        "sender": str(parsed["From"]),
        "date": str(parsed["Date"]),
        "subject": str(parsed["Subject"]),
        "text": mail.text,
    }


def _files(folder: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    paths = [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)[:MAX_FILES]:
        octets = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, octets - GLIMPSE_OCTETS))
            glimpse = file.read(GLIMPSE_OCTETS)
        text = "".join(chr(octet) if 32 <= octet < 127 else "·" for octet in glimpse)
        rows.append({"path": str(path.relative_to(folder)), "octets": octets, "glimpse": text})
    return rows


async def _stylesheet(_request: Request) -> Response:
    text = (resources.templates_folder() / "demo" / "demo.css").read_text("utf-8")
    return Response(text, media_type="text/css")
