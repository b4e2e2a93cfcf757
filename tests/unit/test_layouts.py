"""What a programme says of how its forms look: read strictly, every problem told with its file and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigError
from gateway.domain.layout import Layouts, Look, joined
from gateway.programmes import load_programme
from gateway.resources import programmes_folder

CWA = programmes_folder() / "cwa"


def altered(folder: Path, old: str, new: str) -> Path:
    made = folder / "cwa"
    shutil.copytree(CWA, made)
    path = made / "recognition.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return made


def test_the_programme_that_ships_describes_each_of_its_forms() -> None:
    programme = load_programme(CWA)
    assert [form.form for form in programme.layouts.forms] == [form.number for form in programme.forms]
    assert any(column.look is Look.TICK for form in programme.layouts.forms for column in form.table)


def test_layouts_come_back_from_what_a_child_is_given() -> None:
    layouts = load_programme(CWA).layouts
    assert Layouts.decode(layouts.encode()) == layouts


def test_of_two_programmes_the_forms_are_joined_each_name_once() -> None:
    layouts = load_programme(CWA).layouts
    assert joined([layouts, layouts]) == layouts


def test_a_programme_may_say_nothing_of_its_forms_looks(tmp_path: Path) -> None:
    made = tmp_path / "cwa"
    shutil.copytree(CWA, made)
    (made / "recognition.toml").unlink()
    assert load_programme(made).layouts == Layouts()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('form = "Form 15410"', 'form = "Form 1"', "forms[1]: form: is no number of a form in programme.toml"),
        ('key = "agent-name"', 'key = "agent"', "fields[1]: key: is no field of this form in programme.toml"),
        ('look = "e-mail"', 'look = "mail"', "look: must be one of"),
        ('names = ["Form 15410"]', "names = []", "forms[1]: names: must be a list"),
        ('leaf = "first"', 'leaf = "second"', "leaf: must be one of"),
        ('groups = ["2-7", "3-2-4"]', 'groups = ["2+7"]', "groups: must be a list, each entry how many boxes"),
        ('titles = ["Tax Inf', 'title = ["x"]\ntitles = ["Tax Inf', "forms[3]: title: is not known here"),
        ("[[forms]]", "[[forms]", "is not TOML"),
    ],
)
def test_bad_data_is_told_with_its_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_programme(altered(tmp_path, old, new))
    assert "recognition.toml" in refused.value.advice
    assert told in refused.value.advice
