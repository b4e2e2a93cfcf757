"""Templates are complete, finite, and can say no more than the notice's fields."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigError
from gateway.domain.notice import NoticeKind
from gateway.outbound.templates import Templates
from gateway.resources import templates_folder

SHIPPED = templates_folder() / "notifications"
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
        ('"January", ', "", "missing, or names"),
        ("{month} {day}", "{mois} {day}", "'mois' is missing"),
        ('"Your access is ending"', '"Your access\\nBcc: x@y.example"', "one line"),
        ('access_ending = "', 'access_over = "', "'access_ending' is missing"),
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
