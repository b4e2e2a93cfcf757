from __future__ import annotations

import pytest

from gateway.domain.verdict import Kind
from gateway.screening.chunk import Form
from tests.unit.screening.judging import kinds


@pytest.mark.parametrize(
    "text",
    [
        "Maria Lopez's adjusted gross income for 2024 was $84,300.",
        "We show a balance due of $3,200 for Mr. Okafor for tax year 2023.",
        "John Smith has not filed his 2022 tax return.",
        "El ingreso bruto ajustado de Maria Lopez fue de 84.300,00 USD.",
        "Das Einkommen von Ulrike Zimmermann betrug 2018 $48,179.",
        "The CWA budget shows projected net of $120,000 for Anna Petrova.",
    ],
)
def test_facts_of_a_named_person_are_found(text: str) -> None:
    assert kinds(text) == {Kind.RETURN_INFORMATION}


@pytest.mark.parametrize(
    "text",
    [
        "Tickets are $45; box office gross was $120,000.",
        "If your adjusted gross income is below $84,000 you may file free.",
        "Invoice 4482 over $3,200.00 is due on Friday.",
        "Dear Maria Lopez, thank you for your order; the refund of $45.20 is on its way to your card.",
        "Please send me the W-2 of last year.",
        "Prize money for the open totals $117,787.",
        "Anna Petrova\nPartner, Saltbox Withholding Services LLP\nTel. +1 202 555 0143",
    ],
)
def test_prices_and_rules_pass(text: str) -> None:
    assert kinds(text) == set()


FORM = (
    "Form W-8BEN Certificate of Foreign Status\nName\t{}\nCountry of citizenship\t{}\n"
    "Permanent residence address\t{}\nCity or town\t{}\n"
)


def test_a_filled_form_is_found_and_a_blank_one_passes() -> None:
    filled = FORM.format("Anna Petrova", "Bulgaria", "4 Elm Street", "Varna")
    assert kinds(filled, form=Form.FIELDS) == {Kind.FILLED_FORM}
    assert kinds(filled.replace("\t", ": ")) == {Kind.FILLED_FORM}
    assert kinds(FORM.format("", "", "", ""), form=Form.FIELDS) == set()
    assert kinds(FORM.format("____", "N/A", "____", "____").replace("\t", ": ")) == set()
