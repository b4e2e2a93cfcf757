from __future__ import annotations

from datetime import date

from gateway.domain.enrolment import DAY_US
from gateway.domain.paper import FormField, Shape
from gateway.domain.programme import Form, FormKind, Validity, ValidityRule
from gateway.portal.desk.steps import offered_for_agreement, offered_for_user
from gateway.portal.desk.typed import Typed, day_problem, inputs, own_fields, read_fields

TODAY = date(2026, 11, 22)
FORM = Form(
    FormKind.CONSENT,
    "Form 1",
    "Consent",
    None,
    Validity(ValidityRule.UNTIL_ENDED),
    (
        FormField("name", "Name", sealed=False),
        FormField("tin", "Number", sealed=True, pattern="[0-9]{9}", ignored="-", says="has nine digits"),
        FormField("signed", "Signed", sealed=False, shape=Shape.SIGNATURE_DATE),
        FormField("note", "Note", sealed=False, is_optional=True),
        FormField("user", "User", sealed=False, is_of_appendix=True),
    ),
)


def test_fields_of_an_appendix_are_not_on_the_form() -> None:
    assert [one.key for one in own_fields(FORM)] == ["name", "tin", "signed", "note"]


def test_each_bad_field_has_its_own_word_and_good_ones_none() -> None:
    typed = read_fields(FORM, {"f-name": "A", "f-tin": "12-3", "f-signed": "2999-01-01"}, TODAY)
    assert typed.problems == {"f-tin": "It has nine digits.", "f-signed": "This day is still to come."}


def test_what_is_missing_is_a_problem_only_where_all_is_wanted() -> None:
    assert read_fields(FORM, {"f-name": ""}, TODAY).problems == {}
    assert set(read_fields(FORM, {"f-name": ""}, TODAY, all_of_them=True).problems) == {"f-name", "f-tin", "f-signed"}


def test_only_what_was_changed_is_sent_and_a_sealed_field_only_when_it_was_typed() -> None:
    sent = {"f-name": "B", "b-name": "A", "f-tin": "", "f-note": "same", "b-note": "same"}
    assert read_fields(FORM, sent, TODAY).changed == {"name": "B"}
    assert read_fields(FORM, {"f-tin": "123456789"}, TODAY).changed == {"tin": "123456789"}


def test_a_field_that_no_page_has_sent_is_left_alone() -> None:
    assert read_fields(FORM, {}, TODAY).changed == {}


def test_what_was_typed_stays_and_what_somebody_else_wrote_is_shown_beside_it() -> None:
    typed = Typed({"name": "mine", "note": "old"}, {"name": "old", "note": "old"})
    name, tin, _, note = inputs(FORM, {"name": "theirs", "note": "theirs", "tin": "(sealed)"}, typed)
    assert (name.value, name.before, name.conflict) == ("mine", "theirs", "theirs")
    assert (note.value, note.conflict) == ("theirs", "")
    assert (tin.value, tin.is_on_file, tin.opened) == ("", True, "")


def test_sealed_values_are_shown_only_when_they_were_opened() -> None:
    shown = inputs(FORM, {"tin": "(sealed)"}, None, {"tin": "123456789"})
    assert [one.opened for one in shown] == ["", "123456789", "", ""]


def test_a_day_that_is_to_come_is_no_day_of_receipt() -> None:
    assert day_problem("2026-11-23", TODAY)
    assert day_problem("soon")
    assert not day_problem("2026-11-22", TODAY)
    assert not day_problem("2027-01-31")


def test_steps_are_those_of_the_table_and_an_undo_lasts_a_day() -> None:
    row = {"state": "suspended", "step": "suspend", "before": "reviewed", "moved_us": 0}
    now = offered_for_agreement(row, DAY_US - 1)
    assert now.steps == {"resume", "end"}
    assert (now.undo, now.back_to) == ("suspend", "reviewed")
    assert offered_for_agreement(row, DAY_US).undo == ""


def test_what_has_ended_by_itself_offers_nothing_to_take_back() -> None:
    row = {"state": "ended", "step": "suspend", "before": "active", "moved_us": 0}
    assert not offered_for_user(row, 1).undo
    assert not offered_for_user(row, 1).steps
    opened = {"state": "received", "step": "open", "before": None, "moved_us": 0}
    assert not offered_for_agreement(opened, 1).undo
