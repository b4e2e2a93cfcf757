"""The words of letters and cover sheets: templates of each language, filled with what a programme says of itself.

A page tells a reference, instants, the programme's own words. Nothing of a taxpayer, a case or a person can reach it:
there is no field for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from gateway.domain.errors import ConfigError, Malformed
from gateway.domain.letter import Reason, Received
from gateway.domain.notice import PRODUCTION
from gateway.domain.programme import Programme
from gateway.letters.blocks import read_blocks
from gateway.letters.pages import Document, draw
from gateway.resources import templates_folder

_COVER_SHEET: Final = "cover_sheet"


class Letters:
    """Makes the letters and cover sheets of a site."""

    def __init__(self, environment: str, folder: Path | None = None) -> None:
        """`environment` is the site's; `folder` another one than that of the shipped templates."""
        self._environment = environment
        self._templates = Environment(  # noqa: S701 - what is made is text on paper, and no markup
            loader=FileSystemLoader(folder or templates_folder() / "letters"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    def cover_sheets(self, programme: Programme, language: str, sheets: Sequence[tuple[str, datetime]]) -> bytes:
        """Return a PDF of sheets, one a page: the reference of each and until when it holds.

        Raises Malformed for a programme without a fax line, ConfigError for a language without templates.
        """
        if not programme.fax:
            raise Malformed("This programme has no fax line: its programme.toml names none.")
        spoken, zone = programme.language_for(language), programme.zone
        documents = [
            self._document(programme, spoken, _COVER_SHEET, one, reference=one, until=_day(until, zone, spoken))
            for one, until in sheets
        ]
        return draw(documents, spoken)

    def letter(self, programme: Programme, language: str, reason: Reason, fax: Received, now: datetime) -> bytes:
        """Return the PDF of a letter to whoever sent a fax. Raises ConfigError for a language without templates."""
        spoken = programme.language_for(language)
        name = f"letter_{reason.value.replace('-', '_')}"
        told: dict[str, str | bool] = {
            "reference": fax.reference, "is_own_time": fax.is_own_time,
            "received": _instant(fax.at, programme.zone, spoken), "today": _day(now, programme.zone, spoken),
        }  # fmt: skip
        return draw([self._document(programme, spoken, name, "", **told)], spoken)

    def _document(self, programme: Programme, language: str, name: str, code: str, **told: str | bool) -> Document:
        try:
            template = self._templates.get_template(f"{language}/{name}.txt")
        except TemplateNotFound:
            raise ConfigError(
                f"There are no letters in the language {language} here. Choose another: --language en, say."
            ) from None
        return Document(read_blocks(template.render(_own_words(programme, language), **self._trial(), **told)), code)

    def _trial(self) -> Mapping[str, str | bool]:
        return {"environment": self._environment, "trial": self._environment != PRODUCTION}


def _own_words(programme: Programme, language: str) -> Mapping[str, str]:
    words = programme.words(language)
    return {
        "agency": words.agency, "sender": words.sender, "telephone": words.telephone, "hours": words.hours,
        "ask": words.ask, "fax": programme.fax or "",
    }  # fmt: skip


def _instant(at: datetime, zone: ZoneInfo, language: str) -> str:
    local = at.astimezone(zone)
    return f"{_day(at, zone, language)}, {format_time(local, 'short', locale=language)} {local.tzname()}"


def _day(at: datetime, zone: ZoneInfo, language: str) -> str:
    return str(format_date(at.astimezone(zone).date(), "long", locale=language))
