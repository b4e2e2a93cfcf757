"""The wording of notifications: templates a site may edit, checked whole before the first one is used.

`<language>/catalogue.toml` holds subjects, states and the way times are spoken; `<language>/<kind>.txt` and `.html` the
body, usually extending a layout. A site's own folder takes the place of single files of the shipped one. What a
template may be is told by `template_rules`: it is finite, and nothing but the notice's own fields can reach mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from gateway.domain.errors import ConfigError
from gateway.domain.notice import PRODUCTION, Notice, NoticeKind, NoticeState
from gateway.domain.programme import Programme, Wording
from gateway.domain.reference import Reference
from gateway.outbound.catalogues import FILE, Catalogue, load_catalogue
from gateway.outbound.template_rules import extended, problems_of

FORMATS = ("txt", "html")
MAX_OCTETS = 32_768
_NO_LANGUAGE = "no programme here speaks it. Name it among a programme's languages, or remove the folder."
_NO_TEMPLATE = "no notification uses it. Correct its name, or remove it."


@dataclass(frozen=True, slots=True)
class Body:
    """The words of one notification before they become mail."""

    subject: str
    text: str
    html: str


class Templates:
    """The checked templates of some languages."""

    def __init__(self, folder: Path, languages: frozenset[str], own: Path | None = None) -> None:
        """Read and check every template of every language; a file of `own` takes the place of that of `folder`.

        Raises ConfigError with every problem, each with its file, its line where it has one, and what to do.
        """
        self._folders = (folder,) if own is None else (own, folder)
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self._folders),
            undefined=StrictUndefined,
            autoescape=lambda name: bool(name) and str(name).endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._environment.globals.clear()
        problems: list[str] = []
        self._catalogues: dict[str, Catalogue] = {}
        for language in sorted(languages):
            files = [place / language / FILE for place in reversed(self._folders)]
            if catalogue := load_catalogue(files, problems):
                self._catalogues[language] = catalogue
        problems.extend(self._problems_of_files(languages))
        if own is not None:
            problems.extend(self._strangers(own, languages))
        self._templates: dict[tuple[str, NoticeKind, str], Template] = {}
        if not problems:
            problems.extend(self._load_all(languages))
        _complain(problems)

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

    def subject(self, kind: NoticeKind, language: str) -> str:
        """Return the words of a kind's subject. Raises KeyError for a language that was not loaded."""
        return self._catalogues[language].subjects[kind]

    def check_with(self, programmes: Iterable[Programme]) -> None:
        """Fill every template with the words of these programmes. Raises ConfigError with what does not fit."""
        _complain(
            [
                problem
                for programme in programmes
                for language in programme.languages
                for kind in NoticeKind
                for form in FORMATS
                for problem in self._trial(language, kind, form, programme.words(language))
            ]
        )

    def _path(self, name: str) -> Path:
        """Return where a template stands, or where it should."""
        return next((folder / name for folder in self._folders if (folder / name).exists()), self._folders[-1] / name)

    def _present(self, languages: frozenset[str]) -> set[str]:
        return {name for folder in self._folders for name in _files(folder, languages)}

    def _problems_of_files(self, languages: frozenset[str]) -> Iterator[str]:
        present = self._present(languages)
        for name in sorted(_needed(languages) | present):
            path = self._path(name)
            tree = self._parsed(path)
            if isinstance(tree, str):
                yield f"{path}: {tree}"
                continue
            yield from (f"{path}: {problem}" for problem in problems_of(tree, path.suffix[1:]))
            for layout in extended(tree):  # what is not among the files that are checked is not to be had
                if layout not in present:
                    yield f"{path}: extends {layout!r}, which is not there. Name one that is: LANGUAGE/FILE."

    def _parsed(self, path: Path) -> nodes.Template | str:
        """Return the tree of a template, or why there is none."""
        try:
            source = path.read_bytes()
            if len(source) > MAX_OCTETS:
                return f"has more than {MAX_OCTETS} octets. Shorten it."
            return self._environment.parse(source.decode("utf-8"))
        except OSError as error:
            return f"cannot be read: {error.strerror}. Each kind needs its .txt and its .html."
        except TemplateSyntaxError as error:
            return f"line {error.lineno}: is no template: {error.message}. Correct it."
        except (TemplateError, ValueError, RecursionError) as error:
            return f"is no template: {error}. Correct it."

    def _strangers(self, own: Path, languages: frozenset[str]) -> Iterator[str]:
        """Tell of files of the site's own folder that nothing uses."""
        if not own.is_dir():
            yield f"{own}: is no folder. Make it, with a folder for each language that has files of your own."
            return
        used = _needed(languages)
        for name in self._present(languages):
            tree = self._parsed(self._path(name))
            used |= set(extended(tree)) if isinstance(tree, nodes.Template) else set()
        for entry in sorted(own.iterdir()):
            if entry.name.startswith("."):
                continue
            if entry.name not in languages:
                yield f"{entry}: {_NO_LANGUAGE if entry.is_dir() else _NO_TEMPLATE}"
                continue
            for path in sorted(entry.iterdir()):
                if path.name != FILE and f"{entry.name}/{path.name}" not in used and not path.name.startswith("."):
                    yield f"{path}: {_NO_TEMPLATE}"

    def _load_all(self, languages: frozenset[str]) -> Iterator[str]:
        for language in sorted(languages):
            for kind in NoticeKind:
                for form in FORMATS:
                    name = f"{language}/{kind.value}.{form}"
                    try:
                        self._templates[language, kind, form] = self._environment.get_template(name)
                    except (TemplateError, RecursionError) as error:
                        yield f"{self._path(name)}: {error}"
                        continue
                    yield from self._trial(language, kind, form, _SAMPLE_WORDS)

    def _trial(self, language: str, kind: NoticeKind, form: str, words: Wording | _SampleWords) -> Iterator[str]:
        path = self._path(f"{language}/{kind.value}.{form}")
        catalogue = self._catalogues[language]
        mark = catalogue.sample
        for trial in _trials(language, kind):
            try:
                said = self._templates[language, kind, form].render(_fields(trial, catalogue, words, ZoneInfo("UTC")))
            except (TemplateError, TypeError, RecursionError) as error:
                yield f"{path}: cannot be filled: {error}"
                return
            if len(said.encode()) > MAX_OCTETS or not said.strip():
                yield f"{path}: makes no text, or more than {MAX_OCTETS} octets. Write some, or shorten it."
                return
            if (trial.is_trial and trial.environment not in said) or (trial.is_sample and not _is_said(mark, said)):
                yield (
                    f"{path}: does not say what is no real notice. Show {{{{ environment }}}} where trial is true, and "
                    "{{ sample }} where there is one, as the shipped layout does."
                )
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
        "reads": notice.reads,
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


def _needed(languages: frozenset[str]) -> set[str]:
    return {f"{language}/{kind.value}.{form}" for language in languages for kind in NoticeKind for form in FORMATS}


def _files(folder: Path, languages: frozenset[str]) -> Iterator[str]:
    """Yield the names of the templates that stand in a folder."""
    for language in languages:
        for form in FORMATS:
            yield from (f"{language}/{path.name}" for path in (folder / language).glob(f"*.{form}"))


def _trials(language: str, kind: NoticeKind) -> Iterator[Notice]:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for environment in (PRODUCTION, "try-out"):
        reference = Reference("SM", "7K2Q", "9F4T", trial=environment != PRODUCTION)
        yield Notice(kind, language, reference, "https://gateway.example/", at, environment, until=at)
        yield Notice(kind, language, None, None, at, environment, count=3, state=NoticeState.GAVE_UP, reads=2)
    yield Notice(kind, language, None, None, at, PRODUCTION, is_sample=True)


def _is_said(words: str, said: str) -> bool:
    return words in said or str(escape(words)) in said


def _complain(problems: list[str]) -> None:
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
