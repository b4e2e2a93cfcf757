"""Templates are complete, finite, and can say no more than the notice's fields."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigError
from gateway.domain.notice import Notice, NoticeKind
from gateway.domain.programme import Programme
from gateway.domain.reference import Reference
from gateway.outbound.templates import Templates
from gateway.programmes import load_programme
from gateway.resources import programmes_folder, templates_folder

SHIPPED = templates_folder() / "notifications"
SHIPPED_PROGRAMME = load_programme(programmes_folder() / "cwa")
BOTH = frozenset({"en", "es"})


def refused(tmp_path: Path, name: str, text: str) -> str:
    folder = tmp_path / "notifications"
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        Templates(folder, BOTH)
    return caught.value.advice


def test_the_shipped_templates_are_whole_in_english_and_spanish() -> None:
    assert Templates(SHIPPED, BOTH).languages == BOTH


@pytest.mark.parametrize("name", ["subject_line", "message", "body", "recipient", "self", "request", "range", "lipsum"])
def test_a_template_that_asks_for_more_than_a_notice_has_is_refused_by_name(tmp_path: Path, name: str) -> None:
    report = refused(tmp_path, "en/message_waiting.txt", f"Hello\n{{{{ {name} }}}}\n")
    assert "message_waiting.txt: line 2: asks for" in report
    assert repr(name) in report


def test_asking_for_more_is_refused_in_a_branch_no_trial_reaches(tmp_path: Path) -> None:
    text = '{% extends "en/layout.txt" %}{% block body %}{% if count == 4321 %}{{ taxpayer }}{% endif %}{% endblock %}'
    assert "asks for 'taxpayer'" in refused(tmp_path, "en/reply_received.txt", text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% for x in sender %}{{ x }}{% endfor %}", "uses for"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "uses macro"),
        ("{% set x = 1 %}", "uses assign"),
        ("{% include 'en/layout.txt' %}", "uses include"),
        ("{% import 'en/layout.txt' as l %}", "uses import"),
        ("{{ sender.__class__ }}", "uses getattr"),
        ("{{ sender['x'] }}", "uses getitem"),
        ("{{ 'x' * 999999999 }}", "uses mul"),
        ("{{ sender|upper }}", "uses filter"),
        ("{{ sender() }}", "uses call"),
        ("{{ 'yes' if trial }}", "uses condexpr"),
        ("{{ 7 }}", "uses const"),
        ("{% if sender < count %}x{% endif %}", "compares what cannot be"),
        ("{% if count < 'a' %}x{% endif %}", "compares what cannot be"),
        ("{% if 1 < count < 9 %}x{% endif %}", "uses const"),
        ("{% if sender is defined %}x{% endif %}", "uses test"),
        ("{% if sender in kinds %}x{% endif %}", "compares what cannot be"),
        ("{% if portal and (not loop or cycler) %}x{% endif %}", "asks for 'cycler'"),
        ("{% if trial %}{% extends 'en/layout.txt' %}{% endif %}", "in one case only"),
        ("{% extends 'en/layout.html' %}", "not of the same form"),
        ("{% raw %}<img src=x>{% endraw %}", "line 1: has '<img'"),
        ("Hello\n\nhttps://elsewhere.example/", "line 3: has 'https:'"),
        ("{% if " + "not " * 5000 + "trial %}x{% endif %}", "is no template"),
        ("{% extends portal %}", "not named outright"),
        ("{% extends 'en/message_waiting.txt' %}", "recursion"),
        ("{% extends 'en/absent.txt' %}", "absent.txt"),
        ("{% extends '../../../etc/passwd' %}", "passwd"),
        ("{% if %}", "is no template"),
        ("", "makes no text"),
        ("x" * 40_000, "more than 32768 octets"),
    ],
)
def test_a_template_is_finite_and_plain(tmp_path: Path, text: str, said: str) -> None:
    report = refused(tmp_path, "en/message_waiting.txt", text)
    assert "message_waiting.txt" in report
    assert said in report


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "notifications"
    shutil.copytree(SHIPPED, folder)
    (folder / "es" / "access_ending.html").unlink()
    with pytest.raises(ConfigError, match=r"es/access_ending\.html: cannot be read"):
        Templates(folder, BOTH)


def test_a_language_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match=r"fr/catalogue\.toml: cannot be read"):
        Templates(SHIPPED, frozenset({"fr"}))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('dot = "dot"', "", "'dot' is missing"),
        ('"January", ', "", "months: are missing"),
        ("{month} {day}", "{mois} {day}", "asks for {mois}"),
        ("{month} {day}", "{month:>999999999} {day}", "each as it is"),
        ("{month} {day}", "{month.__class__} {day}", "asks for {month.__class__}"),
        ('"Your access is ending"', '"Your access\\nBcc: x@y.example"', "one line"),
        ('access_ending = "', 'access_over = "', "'subjects.access_ending' is missing"),
        ('access_ending = "', 'access_over = "', "subjects.access_over is not known"),
        ('bounced = "', 'bounced = 7 # "', "'states.bounced' must be one line"),
        ("[states]", "[state]", "'state' is not known"),
        ("dot =", "dot", "catalogue.toml"),
    ],
)
def test_a_catalogue_is_whole(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (SHIPPED / "en" / "catalogue.toml").read_text("utf-8")
    assert old in text
    report = refused(tmp_path, "en/catalogue.toml", text.replace(old, new))
    assert "en/catalogue.toml" in report
    assert said in report


def test_every_kind_has_words_of_its_own_in_both_formats() -> None:
    for language in BOTH:
        for form in ("txt", "html"):
            bodies = [(SHIPPED / language / f"{kind.value}.{form}").read_text("utf-8") for kind in NoticeKind]
            assert len(set(bodies)) == len(NoticeKind)


def test_no_template_brings_an_image_a_script_or_another_address() -> None:
    for path in SHIPPED.rglob("*.*"):
        text = path.read_text("utf-8").lower()
        for word in ("<img", "<script", "url(", "src=", "http:", "https:", "@import", "<link", "<form"):
            assert word not in text, f"{path.name} has {word}"


def own_folder(tmp_path: Path, **files: str) -> Path:
    """A site's own folder: `en__layout_txt="..."` is its file `en/layout.txt`."""
    folder = tmp_path / "own"
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_txt", ".txt").replace("_html", ".html").replace(
            "_toml", ".toml"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def notice(language: str = "en", **changes: object) -> Notice:
    at = datetime(2026, 3, 1, 15, 4, tzinfo=UTC)
    fields = {"kind": NoticeKind.MEETING, "reference": Reference("SM", "7K2Q", "9F4T"), "portal": "https://g.example/"}
    return Notice(**{**fields, "language": language, "at": at, "environment": "production", **changes})  # type: ignore[arg-type]


def test_a_site_s_own_file_takes_the_place_of_one_and_of_no_other(tmp_path: Path) -> None:
    own = own_folder(
        tmp_path,
        en__meeting_txt='{% extends "en/layout.txt" %}{% block body %}Please come on {{ when }}.{% endblock %}',
        en__catalogue_toml='[subjects]\nmeeting = "Come and see us"\n',
    )
    templates = Templates(SHIPPED, BOTH, own)
    said = templates.fill(notice(until=datetime(2026, 5, 4, 15, tzinfo=UTC)), SHIPPED_PROGRAMME)
    assert said.subject == "Come and see us"
    assert "Please come on May 4, 2026, 11:00 AM EDT." in said.text
    assert "This is about a meeting with us." in said.html
    for other in (notice(kind=NoticeKind.REMINDER), notice("es")):
        shipped = Templates(SHIPPED, BOTH).fill(other, SHIPPED_PROGRAMME)
        assert templates.fill(other, SHIPPED_PROGRAMME) == shipped


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "en__meeting_txt",
            "{% for x in sender %}{{ x }}{% endfor %}",
            "en/meeting.txt: line 1: uses for. Take it out",
        ),
        ("en__meeting_txt", "Hello\n\n{{ taxpayer }}", "en/meeting.txt: line 3: asks for 'taxpayer'"),
        ("en__meting_txt", "Hello", "en/meting.txt: no notification uses it. Correct its name"),
        ("fr__meeting_txt", "Bonjour", "own/fr: no programme here speaks it"),
        ("meeting_txt", "Hello", "own/meeting.txt: no notification uses it"),
        ("en__catalogue_toml", '[subjects]\nmeting = "x"', "en/catalogue.toml: subjects.meting is not known"),
        ("en__catalogue_toml", 'subjects = "x"', "'subjects.access_ending' is missing"),
        ("en__meeting_txt", "Come and see us.", "does not say what is no real notice"),
        (
            "en__layout_txt",
            "{% block body %}{% endblock %}{{ environment }}",
            "Show {{ environment }} where trial is true",
        ),
    ],
)
def test_a_wrong_file_of_a_site_is_named_with_what_to_do(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Templates(SHIPPED, BOTH, own_folder(tmp_path, **{name: text}))
    assert said in caught.value.advice


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="own: is no folder"):
        Templates(SHIPPED, BOTH, tmp_path / "own")


def test_a_layout_of_a_site_s_own_may_stand_beside_the_shipped_one(tmp_path: Path) -> None:
    own = own_folder(
        tmp_path,
        en__short_txt="{{ sample }}{{ environment }} {% block body %}{% endblock %}",
        en__meeting_txt='{% extends "en/short.txt" %}{% block body %}Come.{% endblock %}',
    )
    assert Templates(SHIPPED, BOTH, own).fill(notice(), SHIPPED_PROGRAMME).text == "production Come."


def test_words_that_make_a_template_too_long_are_found_with_the_programme_s_own(tmp_path: Path) -> None:
    repeated = "{{ ask }}" * 3000
    templates = Templates(
        SHIPPED, BOTH, own_folder(tmp_path, en__meeting_txt=f"{{{{ environment }}}}{{{{ sample }}}}{repeated}")
    )
    with pytest.raises(ConfigError, match=r"en/meeting\.txt: makes no text, or more than 32768 octets"):
        templates.check_with([SHIPPED_PROGRAMME])


def french(tmp_path: Path) -> tuple[Path, Programme]:
    """A further language: one more folder of templates, one more file of a programme's wording."""
    own = tmp_path / "own"
    shutil.copytree(SHIPPED / "es", own / "fr")
    for path in (own / "fr").glob("*.*"):
        path.write_text(
            path.read_text("utf-8").replace('"es/layout', '"fr/layout').replace('lang="es"', 'lang="fr"'), "utf-8"
        )
    catalogue = (own / "fr" / "catalogue.toml").read_text("utf-8")
    catalogue = catalogue.replace("Le espera un mensaje", "Un message vous attend").replace("marzo", "mars")
    (own / "fr" / "catalogue.toml").write_text(
        catalogue.replace("{day} de {month} de {year}", "{day} {month} {year}"), "utf-8"
    )
    programme = tmp_path / "programme"
    shutil.copytree(programmes_folder() / "cwa", programme)
    table = (programme / "programme.toml").read_text("utf-8")
    (programme / "programme.toml").write_text(table.replace('["en", "es"]', '["en", "es", "fr"]'), "utf-8")
    wording = (programme / "wording" / "es.toml").read_text("utf-8")
    (programme / "wording" / "fr.toml").write_text(
        wording.replace("Mensajería segura del IRS", "Messagerie sûre"), "utf-8"
    )
    return own, load_programme(programme)


def test_another_language_is_one_more_folder(tmp_path: Path) -> None:
    own, programme = french(tmp_path)
    templates = Templates(SHIPPED, frozenset(programme.languages), own)
    templates.check_with([programme])
    said = templates.fill(notice("fr", kind=NoticeKind.MESSAGE_WAITING), programme)
    assert said.subject == "Un message vous attend"
    assert "1 mars 2026, 10:04 EST" in said.text
    assert "Messagerie sûre" in said.text
    assert '<html lang="fr">' in said.html


def test_each_word_that_a_further_language_lacks_is_named(tmp_path: Path) -> None:
    own, programme = french(tmp_path)
    path = own / "fr" / "catalogue.toml"
    kept = [
        line
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith(("meeting =", "sample =", "bounced ="))
    ]
    path.write_text("\n".join(kept), "utf-8")
    (own / "fr" / "reminder.txt").unlink()
    with pytest.raises(ConfigError) as caught:
        Templates(SHIPPED, frozenset(programme.languages), own)
    for said in (
        "'subjects.meeting' is missing",
        "'sample' is missing",
        "'states.bounced' is missing",
        "fr/reminder.txt: cannot",
    ):
        assert said in caught.value.advice
    assert len(caught.value.advice.splitlines()) == 4
