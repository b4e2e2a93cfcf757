"""Pages from templates: every one escapes, names its programme, carries the environment's banner and its forms' tokens.

A template fails on a name nobody gave it. Words stand in the templates, in English, each translatable; a language is
there when `languages/<language>/LC_MESSAGES/portal.mo` is.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.domain.clock import from_microseconds
from gateway.domain.programme import Programme
from gateway.portal.security import form_token
from gateway.portal.site import PortalSite
from gateway.portal.visitors import Visitor

DEFAULT_LANGUAGE = "en"
UTC_ZONE = ZoneInfo("UTC")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file every page may name: style sheet or picture."""

    octets: bytes
    media_type: str
    tag: str


class Pages:
    """Renders the templates of one folder for one site."""

    def __init__(self, folder: Path, site: PortalSite, programmes: Mapping[str, Programme]) -> None:
        self.site = site
        self.programmes = programmes
        self.statics = {path.name: _static(path) for path in sorted((folder / "static").iterdir())}
        spoken = {path.parent.parent.name for path in folder.glob("languages/*/LC_MESSAGES/portal.mo")}
        self._environments = {
            language: self._environment(folder, language) for language in sorted({DEFAULT_LANGUAGE, *spoken})
        }

    def page(
        self,
        request: Request,
        template: str,
        visitor: Visitor | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> Response:
        """Return the page of a template. `context` are the names it needs beside those every template has."""
        language = self._language(request, visitor)
        programme = self._programme(visitor)
        text = (
            self._environments[language]
            .get_template(template)
            .render(
                language=language,
                direction=Locale.parse(language).text_direction,
                visitor=visitor,
                sign_out_token=form_token(visitor.token, "sign-out") if visitor else "",
                words=programme.words(language) if programme else None,
                zone=programme.zone if programme else UTC_ZONE,
                all_words=[one.words(language) for one in self.programmes.values()],
                here=request.url.path,
                **context,
            )
        )
        return HTMLResponse(text, status, headers=dict(headers or {}), media_type="text/html")

    def programme_of(self, visitor: Visitor) -> Programme | None:
        """Return the programme a person belongs to, or None when this gateway no longer runs it."""
        return self.programmes.get(visitor.person.programme)

    def _programme(self, visitor: Visitor | None) -> Programme | None:
        if visitor:
            return self.programme_of(visitor)
        return next(iter(self.programmes.values())) if len(self.programmes) == 1 else None

    def _language(self, request: Request, visitor: Visitor | None) -> str:
        if visitor and visitor.person.language in self._environments:
            return visitor.person.language
        for wanted in request.headers.get("accept-language", "").split(","):
            language = wanted.split(";")[0].strip().lower()[:2]
            if language in self._environments:
                return language
        return DEFAULT_LANGUAGE

    def _environment(self, folder: Path, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        translations = Translations.load(folder / "languages", [language], "portal")
        environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["site"] = self.site
        environment.globals["statics"] = {name: static.tag for name, static in self.statics.items()}
        environment.filters["moment"] = lambda microseconds, zone: _moment(microseconds, zone, language)
        environment.filters["day"] = lambda microseconds, zone: _day(microseconds, zone, language)
        environment.filters["written"] = lambda value: _written(value, language)
        environment.filters["iso"] = lambda microseconds: from_microseconds(microseconds).isoformat(timespec="seconds")
        environment.filters["octets"] = octets_in_words
        return environment


def octets_in_words(count: int) -> str:
    """Return a size as people read it: `812 bytes`, `14 KB`, `2.5 MB`."""
    if count < 1000:
        return f"{count} bytes"
    if count < 999_500:
        return f"{count / 1e3:.0f} KB"
    size, unit = (count / 1e6, "MB") if count < 999_500_000 else (count / 1e9, "GB")
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def _moment(microseconds: int, zone: ZoneInfo, language: str) -> str:
    local = from_microseconds(microseconds).astimezone(zone)
    return f"{_date(local, language)}, {format_time(local, 'short', locale=language)} {local.tzname()}"


def _day(microseconds: int, zone: ZoneInfo, language: str) -> str:
    return _date(from_microseconds(microseconds).astimezone(zone), language)


def _date(local: datetime, language: str) -> str:
    return _long(local.date(), language)


def _written(value: str, language: str) -> str:
    """Return a day that is kept as 2026-11-23 as pages write days, and whatever else a field holds as it is."""
    try:
        return _long(date.fromisoformat(value), language) if _ISO_DAY.fullmatch(value) else value
    except ValueError:
        return value


def _long(day: date, language: str) -> str:
    return str(format_date(day, "long", locale=language))


def _static(path: Path) -> StaticFile:
    octets = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return StaticFile(octets, media_type, hashlib.sha256(octets).hexdigest()[:12])
