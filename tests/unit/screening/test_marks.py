"""What is put off until all labels of a mail are known cannot count without one, and no label goes unmarked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.verdict import Kind
from gateway.screening.chunk import Chunk, Form
from gateway.screening.context import Scan
from gateway.screening.detectors import DETECTORS
from gateway.screening.examiner import Examiner
from gateway.screening.lexicon import LEXICON
from gateway.screening.marks import MARKED, may_say
from gateway.screening.policy import Policy
from gateway.screening.view import View
from gateway.screening.weighing import Doubt

WRITTEN = ("the {} 123", "{}: 1", "_{}_", "x\n{}#4", "<{}>")
PIECES = st.sampled_from(
    "536412879;536-41-2879;536 412 879;53-6412879;P01234567;1234 56789R;12345678Z;SSN;here is;tax;Ann Lee;mySSN;"
    "S. S. N.;order no.;fax;\n;\t; ;: ;, ;|;$;-;x;%".split(";")
)


@pytest.mark.parametrize("written", WRITTEN)
def test_every_phrase_of_a_kind_is_marked(written: str) -> None:
    for name in sorted(MARKED):
        for phrase in LEXICON.phrases[name]:
            text = written.format(phrase)
            told = may_say(text.encode())
            assert {label.name for label in LEXICON.labels(text, 0, len(text))} & MARKED <= told, phrase


def write(words: list[str], sign: str, way: int) -> str:
    """Words of a phrase, a sign between, in one of several spellings."""
    spell = (str.lower, str.upper, str.capitalize, ". ".join, "/".join)[way]
    return sign.join(map(spell, words))


PHRASES = sorted({phrase for name in MARKED for phrase in LEXICON.phrases[name]})
SIGNS = st.sampled_from(["", " ", ".", ". ", "/", "'s ", "\n", "#", "\t", "_"])
SAID = st.builds(write, st.sampled_from(PHRASES).map(str.split), SIGNS, st.integers(0, 4))
GLUED = st.lists(st.one_of(SAID, PIECES, SIGNS, st.sampled_from(["a1", "53641287S", "x" * 30])), max_size=12)


@given(GLUED.map("".join))
def test_what_is_said_around_a_number_is_marked_however_it_is_glued(text: str) -> None:
    scan = Scan(View(text.encode(), "body"))
    for number in scan.numbers:
        around = scan.around(number.start, number.end)
        assert (around.named.keys() | around.raising.keys()) & MARKED <= scan.may_say(number.start, number.end)


@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(Form))
def test_what_is_put_off_weighs_no_more_than_was_foreseen(text: str, form: Form) -> None:
    scan = Scan(View(text.encode(), "body", form))
    for detect in DETECTORS:
        for found in detect(scan):
            if isinstance(found, Doubt):
                assert all(sighting.logit <= found.most for sighting in found.look())


def test_a_number_counts_when_its_label_stands_in_a_later_part() -> None:
    examiner = Examiner(Policy.default())
    examiner.take(Chunk("Van at eight, Ann Lee 536412879 has the keys.", "body"))
    assert examiner.verdict().findings == ()
    examiner.take(Chunk("Her SSN.txt", "name of attachment 1", Form.FILE_NAME))
    examiner.take(Chunk("Van at eight, Ann Lee 536412879 has the key.", "attachment 1"))
    assert [(found.kind, found.place) for found in examiner.verdict().findings] == [(Kind.SSN, "attachment 1")]


@given(st.lists(st.sampled_from(["Sure: A1234567", "It's 4/17/55", "123456", "\n", "x"]), max_size=6).map("\n".join))
def test_an_answer_that_nothing_was_asked_for_counts_nothing(text: str) -> None:
    examiner = Examiner(Policy.default(), looks_at_all=True)
    examiner.take(Chunk(text, "body"))
    assert examiner.verdict().findings == ()


def test_an_answer_counts_when_it_is_asked_for_in_a_later_part() -> None:
    examiner = Examiner(Policy.default())
    examiner.take(Chunk("Sure: A1234567", "body"))
    examiner.take(Chunk("Your passport number?", "attachment 1"))
    assert [(found.kind, found.place) for found in examiner.verdict().findings] == [(Kind.PASSPORT, "body")]


def test_a_label_that_comes_last_makes_a_number_before_it_count() -> None:
    examiner = Examiner(Policy.default())
    examiner.take(Chunk("Van at eight, Ann Lee 536412879 has the keys.", "body"))
    examiner.take(Chunk("Her SSN.txt", "name of attachment 1", Form.FILE_NAME))
    assert [(found.kind, found.place) for found in examiner.verdict().findings] == [(Kind.SSN, "body")]
