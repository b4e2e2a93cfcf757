"""References of refusals: hard to mistype, hard to guess, and what finds their entry."""

from __future__ import annotations

import re

import pytest

from gateway.domain.refusal import (
    KINDS,
    LENGTH,
    LETTERS,
    REASONS,
    entry_id,
    ids_of,
    new_reference,
    reference_meant,
    told_by,
)
from gateway.domain.verdict import Kind, Unread

REFERENCE = "R-4F7K-UZSD"


def test_every_kind_and_every_reason_has_words() -> None:
    assert set(KINDS) == set(Kind)
    assert set(REASONS) == set(Unread)


def test_references_are_drawn_by_lot_and_mean_themselves() -> None:
    drawn = {new_reference() for _ in range(300)}
    assert len(drawn) == 300
    assert all(re.fullmatch(r"R-\w{4}-\w{4}", one) for one in drawn)
    assert {reference_meant(one) for one in drawn} == drawn
    assert {letter for one in drawn for letter in one[2:] if letter != "-"} == set(LETTERS)
    assert len(LETTERS) ** LENGTH > 10**11


@pytest.mark.parametrize(
    "typed",
    [
        REFERENCE,
        "r-4f7k-uzsd",
        "  R 4F7K UZSD ",
        "4f7kuzsd",
        "R4F7KUZSD",
        "R\u20114F7K\u2014UZSD",
        "Ref R-4F7K-UZSD:",
        "\uff32\uff0d\uff14\uff26\uff17\uff2b\uff0d\uff35\uff3a\uff33\uff24",  # full-width letters
        "R-4F1K-V25O",
        "R-4FlK-vZ5Q",
        "R-4FIK-U2S0",
    ],
)
def test_what_is_typed_may_look_like_it(typed: str) -> None:
    assert reference_meant(typed) == REFERENCE


@pytest.mark.parametrize("typed", ["", "R-4F7K-UZS", "R-4F7K-UZSE", "\0", "a" * 10_000, "\ud800"])
def test_what_is_no_reference_means_another_one_or_none(typed: str) -> None:
    assert reference_meant(typed) != REFERENCE


@pytest.mark.parametrize(
    ("kinds", "reasons"),
    [((), ()), ((Kind.SSN,), ()), ((), (Unread.UNKNOWN_TYPE,)), (tuple(Kind), tuple(Unread))],
)
def test_an_entrys_id_is_found_by_its_reference_and_tells_kinds_and_reasons(
    kinds: tuple[Kind, ...], reasons: tuple[Unread, ...]
) -> None:
    made = entry_id(REFERENCE, kinds * 2, reasons * 2)
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert told_by(made) == (kinds, reasons)
    low, high = ids_of(REFERENCE)
    assert low <= made <= high
    assert not low <= entry_id("R-4F7K-UZSE", kinds, reasons) <= high


def test_what_ids_tell_keeps_its_meaning() -> None:
    told = [entry_id(REFERENCE, [kind], [])[-14:] for kind in Kind]
    assert told == [f"{1 << place:010x}0000" for place in range(len(Kind))]
    assert list(Kind)[:2] == [Kind.SSN, Kind.ITIN]
    assert list(Kind)[19] is Kind.FILLED_FORM
    assert list(Unread)[:2] == [Unread.ENCRYPTED, Unread.CORRUPT]
