"""Programmes as data: what a folder may say, and that every mistake in it is told at once."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigError
from gateway.domain.notice import NoticeKind
from gateway.domain.programme import FormKind, Programme
from gateway.domain.rights import Right
from gateway.domain.timing import Quiet, Timing
from gateway.programmes import load_programme, load_programmes
from gateway.resources import programmes_folder

SHIPPED = programmes_folder() / "cwa"
COUNTY = Path(__file__).parents[1] / "programmes" / "county"


def broken(tmp_path: Path, *changes: tuple[str, str], file: str = "programme.toml") -> str:
    folder = tmp_path / "broken"
    shutil.copytree(COUNTY, folder, dirs_exist_ok=True)
    text = (folder / file).read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / file).write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_programme(folder)
    return caught.value.advice


def test_the_shipped_programme_says_which_paper_gives_which_right() -> None:
    programme = load_programme(SHIPPED)
    consent, see = programme.form(FormKind.CONSENT), programme.form(FormKind.AUTHORISATION_SEE)
    assert consent is not None
    assert see is not None
    assert (consent.number, consent.right) == ("Form 15410", Right.ACT)
    assert (see.number, see.right) == ("Form 8821", Right.SEE)
    assert (programme.limits.designated_users, programme.limits.notice_days) == (5, 30)
    assert programme.notices == {kind for kind in NoticeKind if not kind.is_of_the_site}
    assert {field.key for field in consent.fields if field.sealed} == {"agent-tin"}


def test_an_authorisation_ends_at_most_three_years_after_the_year_of_receipt() -> None:
    form = load_programme(SHIPPED).form(FormKind.AUTHORISATION_REPRESENTATIVE)
    assert form is not None
    assert form.validity.last_day(date(2026, 3, 1)) == date(2029, 12, 31)
    assert form.validity.last_day(date(2026, 3, 1), date(2027, 6, 30)) == date(2027, 6, 30)
    assert form.validity.last_day(date(2026, 3, 1), date(2035, 1, 1)) == date(2029, 12, 31)


def test_an_agreement_lasts_until_it_is_ended() -> None:
    form = load_programme(SHIPPED).form(FormKind.CONSENT)
    assert form is not None
    assert form.validity.last_day(date(2026, 3, 1)) is None


def test_a_language_the_programme_does_not_speak_falls_back_to_its_first() -> None:
    programme = load_programme(SHIPPED)
    assert programme.language_for("es") == "es"
    assert programme.language_for("fr") == "en"
    assert programme.words("fr").sender == programme.words("en").sender


def test_plain_mail_names_the_agency_and_no_kind_of_case() -> None:
    for words in load_programme(SHIPPED).wording.values():
        for spoken in (words.sender, words.agency, words.ask):
            assert "ithholding" not in spoken
            assert "retención" not in spoken


def test_a_second_programme_stands_beside_the_first() -> None:
    loaded = load_programmes([SHIPPED, COUNTY])
    assert set(loaded) == {"cwa", "lindgrove"}
    assert loaded["lindgrove"].fax is None


def test_nothing_of_the_first_programme_is_in_the_second() -> None:
    told = repr(load_programme(COUNTY))
    for word in ("IRS", "CWA", "15410"):
        assert word not in told


def test_two_programmes_do_not_share_a_series(tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(COUNTY, twin)
    text = (twin / "programme.toml").read_text("utf-8")
    (twin / "programme.toml").write_text(text.replace('key = "lindgrove"', 'key = "twin"', 1), "utf-8")
    with pytest.raises(ConfigError, match="must differ from those of lindgrove"):
        load_programmes([COUNTY, twin])


def test_no_programme_has_the_series_of_cover_sheets(tmp_path: Path) -> None:
    assert "cannot be CS" in broken(tmp_path, ('series = "LG"', 'series = "CS"'))


def test_every_problem_is_in_one_report(tmp_path: Path) -> None:
    report = broken(
        tmp_path,
        ('series = "LG"', 'series = "lg"'),
        ("America/Denver", "America/Nowhere"),
        ("notice_days = 14", 'notice_days = "soon"'),
        ('right = "act"', 'right = "everything"'),
        ('title = "Owner"', 'titel = "Owner"'),
        ('"message_waiting"', '"message_wating"'),
    )
    for said in ("series", "time_zone", "notice_days", "right", "title", "titel", "notices"):
        assert said in report
    assert len(report.splitlines()) >= 7
    assert all("programme.toml: " in line for line in report.splitlines())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "consent"', 'kind = "application"', "no agreement could be made"),
        ('needs = "authorisation-representative"', 'needs = "authorisation-see"', "there is none"),
        ('key = "agent"', 'key = "owner"', "two roles have one key"),
        ('"left_in_clear", ', "", "cannot be without left_in_clear"),
        ("telephone +1 303", "téléphone +1 303", "one ASCII line"),
        ('languages = ["en"]', 'languages = ["en", "de"]', "de.toml: cannot be read"),
        ('key = "lindgrove"', "key = ", "is not TOML"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in broken(tmp_path, (old, new))


def test_a_programme_says_when_people_are_told_and_else_has_the_usual_times(tmp_path: Path) -> None:
    assert load_programme(SHIPPED).timing == load_programme(COUNTY).timing == Timing()
    folder = tmp_path / "other"
    shutil.copytree(COUNTY, folder)
    text = (folder / "programme.toml").read_text("utf-8")
    own = '[timing]\nreminder_days = [1]\nquiet_from = "00:00"\nquiet_until = "00:00"\nnot_read_days = 0\n'
    (folder / "programme.toml").write_text(text.replace("[limits]", f"{own}[limits]"), "utf-8")
    assert load_programme(folder).timing == Timing(reminder_days=(1,), quiet=Quiet(), not_read_days=0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("reminder_days = [5, 2]", "those of reminders rise"),
        ("reminder_days = [0]", "numbers from 1 to 365"),
        ("reminder_days = 2", "must be a list"),
        ("hold_seconds = 90", "held no longer"),
        ("merge_seconds = -1", "a number from 0"),
        ('quiet_from = "24:00"', "a time of day"),
        ("quiet_until = 8", "a time of day"),
        ("reminders_per_day = 2", "is not known here"),
    ],
)
def test_times_that_make_no_sense_are_told(tmp_path: Path, line: str, said: str) -> None:
    assert said in broken(tmp_path, ("[limits]", f"[timing]\n{line}\n[limits]"))


def test_a_wording_with_a_missing_line_names_its_file(tmp_path: Path) -> None:
    report = broken(tmp_path, ('sender = "Lindgrove County Messages"\n', ""), file="wording/en.toml")
    assert "en.toml: sender" in report.replace("wording/", "")


def test_a_gateway_without_a_programme_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        load_programmes([])


def test_a_programme_is_frozen() -> None:
    programme: Programme = load_programme(COUNTY)
    with pytest.raises(TypeError):
        programme.wording["en"] = programme.wording["en"]  # type: ignore[index]
