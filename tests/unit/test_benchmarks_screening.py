"""The corpus of screening and its score: seeded, labelled as made, readable by others, counted right."""

from __future__ import annotations

import email
import email.policy
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from random import Random

import openpyxl
import pikepdf
import pytest

from benchmarks.screening import (
    corpus,
    disguises,
    drive,
    fit,
    forms,
    letters,
    numbers,
    passages,
    places,
    score,
    unscreenables,
)
from benchmarks.screening.drive import Answer
from benchmarks.screening.passages import FOREIGN, Passage
from benchmarks.screening.sample import Label, Sample
from gateway.domain.verdict import Kind

SEED = 5


def planted(place: str, variant: str = "ssn", style: str = "labelled") -> tuple[Passage, bytes]:
    rng = Random(f"{place}/{variant}")
    passage = passages.passage(rng, variant, style, "en", lambda text: text)
    letter = letters.letter(rng)
    places.PLACES[place][0](letter, passage)
    return passage, letters.octets(letter)


def attachment(octets: bytes) -> bytes:
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    return next(iter(mail.iter_attachments())).get_payload(decode=True)


# What signs, locks or dates itself anew.
UNSTEADY = {"7z", "odt", "pdf text", "signed opaque", "smime signed", "zip", "nested zip"}


def test_a_seed_names_the_same_mails_each_time() -> None:
    for at in range(60):
        first = corpus.sample(SEED, at)
        if first.label.wanted != "unscreenable" and not UNSTEADY & {first.label.place, first.label.variant}:
            assert corpus.sample(SEED, at) == first
    assert corpus.sample(SEED, 0).octets != corpus.sample(SEED + 1, 0).octets


def test_every_kind_of_the_product_is_planted() -> None:
    kinds = {
        passages.datum(Random(1), variant, passages.people.person(Random(1))).kind
        for variant in (*passages.MAKERS, "birth-date", "return-information")
    }
    assert kinds | {Kind.FILLED_FORM} == set(Kind)


@pytest.mark.parametrize("variant", sorted(passages.MAKERS))
def test_numbers_keep_their_rule_and_are_not_published_examples(variant: str) -> None:
    made = [passages.MAKERS[variant](Random(at)) for at in range(50)]
    assert len({each.text for each in made}) > 45
    assert all(each.plain for each in made)
    assert not numbers.PUBLISHED & {each.plain for each in made}


def test_a_card_passes_luhn_and_an_iban_its_97() -> None:
    for at in range(50):
        card, iban = numbers.card(Random(at)).plain, numbers.iban(Random(at)).plain
        assert numbers.luhn_digit(card[:-1]) == card[-1]
        assert int("".join(str(int(mark, 36)) for mark in iban[4:] + iban[:4])) % 97 == 1


@pytest.mark.parametrize("place", ["body plain", "body html", "soft line breaks", "quoted reply", "text file"])
def test_a_number_in_a_text_place_is_there_for_the_standard_library(place: str) -> None:
    passage, octets = planted(place)
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    text = b"".join(part.get_payload(decode=True) or b"" for part in mail.walk() if not part.is_multipart())
    assert passage.datum.text in re.sub(r"<[^>]*>|\0", "", text.decode("utf-8", "replace"))
    assert not mail.defects


def test_a_subject_in_pieces_joins_to_the_number() -> None:
    passage, octets = planted("subject in pieces")
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    assert passage.datum.text in str(mail["subject"])


def test_a_numeric_cell_holds_a_number() -> None:
    passage, octets = planted("xlsx number", "itin", "table")
    book = openpyxl.load_workbook(io.BytesIO(attachment(octets)))
    cells = [cell.value for row in book.active.iter_rows() for cell in row]
    assert int(passage.datum.plain) in cells


def test_a_form_field_holds_its_value_and_a_blank_one_none() -> None:
    from benchmarks.screening import pdfs

    made = forms.MAKERS["W-2"](Random(1), passages.people.person(Random(1)))
    for form, wanted in ((made, [value for _, value in made.fields]), (made.blank, [""] * len(made.fields))):
        with pikepdf.open(io.BytesIO(pdfs.fields(Random(2), form))) as document:
            assert [str(field.V) for field in document.Root.AcroForm.Fields] == wanted


def test_a_locked_zip_cannot_be_opened_without_its_password() -> None:
    with (
        zipfile.ZipFile(io.BytesIO(unscreenables.zip_locked(Random(1)).octets)) as archive,
        pytest.raises(RuntimeError, match="encrypted"),
    ):
        archive.read(archive.namelist()[0])


@pytest.mark.parametrize("name", sorted(disguises.DISGUISES))
def test_a_disguise_changes_the_number_and_only_none_does_not(name: str) -> None:
    changed = disguises.DISGUISES[name].change(Random(3), "418-63-5291", "en")
    assert (changed == "418-63-5291") == (name == "none")


def test_clean_mail_holds_no_planted_number_and_says_so() -> None:
    labels = [corpus.sample(SEED, at).label for at in range(1, 60, 2)]
    assert {label.wanted for label in labels} == {"clean", "unscreenable"}
    assert all(not label.kinds for label in labels)


def test_a_label_never_holds_content(tmp_path: Path) -> None:
    corpus.write(tmp_path, SEED, 20)
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [row["ident"] for row in rows] == [path.stem for path in sorted(tmp_path.glob("*.eml"))]
    assert not re.search(r"\d{3}-\d\d-\d{4}", json.dumps(rows))


def answer(wanted: str, verdict: str, **label: str) -> Answer:
    kinds = (Kind.SSN,) if wanted == "tainted" else ()
    known = {"tier": "ordinary", "place": "subject", "variant": "ssn"} if kinds else {"group": "ordinary"}
    return Answer(Label("x", wanted, kinds=kinds, **(known | label)), verdict, "", frozenset(), 1.0, 1.0, 100)


def test_recall_counts_tainted_only_and_false_alarms_every_refusal() -> None:
    answers = [
        answer("tainted", "tainted"),
        answer("tainted", "unscreenable"),
        answer("clean", "unscreenable"),
        answer("clean", "clean"),
        answer("clean", "tainted", group="misleading"),
    ]
    assert score.recall(answers) == score.Share(1, 2)
    assert score.false_alarms(answers) == score.Share(2, 3)
    assert score.false_alarms(answers, misleading=False) == score.Share(1, 2)
    assert score.precision(answers) == score.Share(1, 2)


def test_a_goal_with_nothing_measured_is_neither_met_nor_missed() -> None:
    assert {goal.met for goal in score.goals([], None)} == {None}


def test_goals_are_missed_by_one_place_that_is_seldom_found() -> None:
    answers = [answer("tainted", "tainted")] * 298 + [answer("tainted", "clean", place="footer")] * 2
    met = {goal.name: goal.met for goal in score.goals(answers, 30.0)}
    assert met["recall, ordinary"] is True
    assert met["every place"] is False
    assert met["text"] is True


FAKE = """
import json, sys
for line in sys.stdin:
    path = line.rstrip()
    found = b"SSN" in open(path, "rb").read()
    said = {"path": path, "verdict": ("clean", "tainted")[found], "reason": "", "findings": [{"kind": "ssn"}][:found]}
    print(json.dumps(said | {"ms": 2}), flush=True)
"""


def test_a_screener_is_asked_path_by_path_and_leaves_no_mail_behind(tmp_path: Path) -> None:
    made = [Sample(Label(f"m{at}", "clean"), b"SSN" if at % 2 else b"hello") for at in range(6)]
    answers = drive.run([sys.executable, "-c", FAKE], made.__getitem__, len(made), 2, tmp_path, lambda done: None)
    assert [each.verdict for each in answers] == ["clean", "tainted"] * 3
    assert [each.label.ident for each in answers] == [f"m{at}" for at in range(6)]
    assert not list(tmp_path.iterdir())


def test_a_screener_that_dies_is_told_and_not_counted(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        drive.run(
            [sys.executable, "-c", "raise SystemExit(3)"],
            lambda at: Sample(Label("m", "clean"), b"x"),
            1,
            1,
            tmp_path,
            lambda done: None,
        )


def test_foreign_numbers_are_all_drawn() -> None:
    from benchmarks.screening.positives import WEIGHTS

    assert set(FOREIGN) < set(WEIGHTS)


def test_a_weight_is_moved_both_ways_and_keeps_its_comment() -> None:
    assert list(fit._moved("bias = -3.4   # at rest", 0.5)) == ["bias = -2.9   # at rest", "bias = -3.9   # at rest"]
    assert not list(fit._moved("[taxpayer]  # nine digits", 0.5))
