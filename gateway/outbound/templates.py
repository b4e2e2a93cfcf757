"""The wording of notifications: templates a site may edit, checked whole before the first one is used.

`<language>/catalogue.toml` holds subjects, states and the way times are spoken; `<language>/<kind>.txt` and `.html` the
body, usually extending a layout. A template may name the fields of `FIELDS`, choose with `if`, and extend another:
no loop, no call, no filter, no arithmetic, so that it is finite and nothing but the notice's own fields can reach mail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from gateway.domain.errors import ConfigError
from gateway.domain.notice import PRODUCTION, Notice, NoticeKind, NoticeState
from gateway.domain.programme import Programme, Wording
from gateway.domain.reference import Reference

FIELDS = frozenset({
    "subject", "reference", "portal", "host_in_words", "time", "until", "when", "count", "state", "environment",
    "trial", "sample", "sender", "agency", "telephone", "hours", "ask", "refusal", "kinds",
})  # fmt: skip
"""All that a template may ask for: the notice in words, and how the programme speaks of itself in plain mail."""

FORMATS = ("txt", "html")
MAX_OCTETS = 32_768
_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.Extends, nodes.Block,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language's shared words: month names, the shape of an instant and of a day, subjects, states."""

    months: tuple[str, ...]
    time: str
    date: str
    dot: str
    sample: str
    sample_mark: str
    subjects: Mapping[NoticeKind, str]
    states: Mapping[NoticeState, str]

    def instant(self, at: datetime, zone: ZoneInfo) -> str:
        """Say an instant with the month's name and the zone."""
        return self.time.format(**self._pieces(at.astimezone(zone)))

    def day(self, at: datetime, zone: ZoneInfo) -> str:
        """Say the day of an instant, in the zone."""
        return self.date.format(**self._pieces(at.astimezone(zone)))

    def _pieces(self, local: datetime) -> dict[str, str]:
        name = local.tzname() or "UTC"
        return {
            "day": str(local.day),
            "month": self.months[local.month - 1],
            "year": str(local.year),
            "hour12": str(local.hour % 12 or 12),
            "half": "AM" if local.hour < 12 else "PM",
            "hour24": str(local.hour),
            "minute": f"{local.minute:02}",
            "zone": name if name[0].isalpha() else f"UTC{name}",
        }


@dataclass(frozen=True, slots=True)
class Body:
    """The words of one notification before they become mail."""

    subject: str
    text: str
    html: str


class Templates:
    """The checked templates of some languages."""

    def __init__(self, folder: Path, languages: frozenset[str]) -> None:
        """Read and check every template of every language.

        Raises ConfigError with every problem; one that asks for more than the notice's fields is named with the name
        it asks for.
        """
        self._folder = folder
        self._environment = SandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=lambda name: bool(name) and str(name).endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.globals.clear()
        problems: list[str] = []
        self._catalogues = {language: _catalogue(folder / language, problems) for language in sorted(languages)}
        self._templates: dict[tuple[str, NoticeKind, str], Template] = {}
        for path in _every_template(folder, languages):
            problems.extend(self._problems_of(path))
        if not problems:
            problems.extend(self._load_all(languages))
        if problems:
            raise ConfigError("\n".join(dict.fromkeys(problems)))

    @property
    def languages(self) -> frozenset[str]:
        """The languages that were checked."""
        return frozenset(self._catalogues)

    def fill(self, notice: Notice, programme: Programme) -> Body:
        """Return the words of a notice. Raises KeyError for a language that was not loaded."""
        catalogue = self._catalogues[notice.language]
        fields = _fields(notice, catalogue, programme.words(notice.language), programme.zone)
        text, html = (self._templates[notice.language, notice.kind, form].render(fields) for form in FORMATS)
        return Body(str(fields["subject"]), text, html)

    def _problems_of(self, path: Path) -> Iterator[str]:
        try:
            tree = self._environment.parse(path.read_text("utf-8"))
        except OSError as error:
            yield f"{path}: cannot be read: {error.strerror}"
            return
        except (TemplateError, ValueError) as error:
            yield f"{path}: is no template: {error}"
            return
        for node in tree.find_all(nodes.Node):
            yield from (f"{path}: {problem}" for problem in _problems_of_node(node))

    def _load_all(self, languages: frozenset[str]) -> Iterator[str]:
        for language in sorted(languages):
            for kind in NoticeKind:
                for form in FORMATS:
                    name = f"{language}/{kind.value}.{form}"
                    try:
                        self._templates[language, kind, form] = self._environment.get_template(name)
                    except (TemplateError, RecursionError) as error:
                        yield f"{self._folder / name}: {error}"
                        continue
                    yield from self._trial(language, kind, form)

    def _trial(self, language: str, kind: NoticeKind, form: str) -> Iterator[str]:
        for sample in _samples(language, kind):
            fields = _fields(sample, self._catalogues[language], _SAMPLE_WORDS, ZoneInfo("UTC"))
            try:
                words = self._templates[language, kind, form].render(fields)
            except (TemplateError, TypeError, RecursionError) as error:
                yield f"{self._folder / language}/{kind.value}.{form}: cannot be filled: {error}"
                return
            if len(words.encode()) > MAX_OCTETS or not words.strip():
                yield f"{self._folder / language}/{kind.value}.{form}: makes no text, or more than {MAX_OCTETS} octets"
                return


@dataclass(frozen=True, slots=True)
class _SampleWords:
    sender: str = "Sample sender"
    agency: str = "Sample agency"
    telephone: str = "+1 555 0100"
    hours: str = "always"
    ask: str = "Ask."


_SAMPLE_WORDS = _SampleWords()


def _fields(
    notice: Notice, catalogue: Catalogue, words: Wording | _SampleWords, zone: ZoneInfo
) -> dict[str, str | int | bool]:
    zone = ZoneInfo(notice.zone) if notice.zone else zone
    mark = f"[{catalogue.sample_mark}] " if notice.is_sample else ""
    mark = f"[TEST] {mark}" if notice.is_trial else mark
    return {
        "subject": mark + catalogue.subjects[notice.kind],
        "reference": str(notice.reference or ""),
        "portal": notice.portal or "",
        "host_in_words": notice.host.replace(".", f" {catalogue.dot} "),
        "time": catalogue.instant(notice.at, zone),
        "until": catalogue.day(notice.until, zone) if notice.until else "",
        "when": catalogue.instant(notice.until, zone) if notice.until else "",
        "count": notice.count,
        "state": catalogue.states[notice.state],
        "environment": notice.environment,
        "trial": notice.is_trial,
        "sample": catalogue.sample if notice.is_sample else "",
        "sender": words.sender,
        "agency": words.agency,
        "telephone": words.telephone,
        "hours": words.hours,
        "ask": words.ask,
        "refusal": notice.refusal,
        "kinds": ", ".join(notice.kinds),
    }


def _problems_of_node(node: nodes.Node) -> Iterator[str]:
    if not isinstance(node, _PLAIN):
        yield f"line {node.lineno}: uses {type(node).__name__.lower()}: fields, if, extends and block are all there is"
    elif isinstance(node, nodes.Name) and node.name not in FIELDS:
        yield f"line {node.lineno}: asks for {node.name!r}, which is no field of a notice"
    elif isinstance(node, nodes.Extends) and not isinstance(node.template, nodes.Const):
        yield f"line {node.lineno}: extends a template that is not named outright"


def _every_template(folder: Path, languages: frozenset[str]) -> Iterator[Path]:
    for language in sorted(languages):
        present = {path for form in FORMATS for path in (folder / language).glob(f"*.{form}")}
        needed = {folder / language / f"{kind.value}.{form}" for kind in NoticeKind for form in FORMATS}
        yield from sorted(present | needed)


def _samples(language: str, kind: NoticeKind) -> Iterator[Notice]:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for environment in (PRODUCTION, "trial"):
        reference = Reference("SM", "7K2Q", "9F4T", trial=environment != PRODUCTION)
        yield Notice(kind, language, reference, "https://gateway.example/", at, environment, until=at)
        yield Notice(kind, language, None, None, at, environment, count=3, state=NoticeState.GAVE_UP)


def _catalogue(folder: Path, problems: list[str]) -> Catalogue:
    path = folder / "catalogue.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        catalogue = Catalogue(
            months=tuple(data["months"]),
            time=data["time"],
            date=data["date"],
            dot=data["dot"],
            sample=_one_line(data["sample"]),
            sample_mark=_one_line(data["sample_mark"]),
            subjects={kind: _one_line(data["subjects"][kind.value]) for kind in NoticeKind},
            states={state: _one_line(data["states"][state.value]) for state in NoticeState},
        )
        for month in range(1, 13):
            sample = datetime(2026, month, 1, tzinfo=UTC)
            _one_line(catalogue.instant(sample, ZoneInfo("UTC")) + catalogue.day(sample, ZoneInfo("UTC")))
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except (KeyError, IndexError) as error:
        problems.append(f"{path}: {error} is missing, or names what there is not")
    except (ValueError, TypeError, AttributeError) as error:
        problems.append(f"{path}: {error}")
    else:
        return catalogue
    return Catalogue((), "", "", "", "", "", {}, {})


def _one_line(value: object) -> str:
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value
    raise ValueError("subjects, states and times are each one line of text")
