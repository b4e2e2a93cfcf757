from __future__ import annotations

import pytest

from gateway.domain.verdict import Kind, Strength
from tests.unit.screening.judging import judge, kinds

PLAIN = "Hello,\n\nthe bus leaves at nine.\n\n{}\n\nThanks\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("PTIN P01234561", Kind.PTIN),
        ("CAF number 1234-56789R", Kind.CAF),
        ("our EFIN is 482913", Kind.EFIN),
        ("transmitter ETIN 48291", Kind.ETIN),
        ("IP PIN 482 913", Kind.IP_PIN),
        ("GIIN 98Q96B.00000.LE.250", Kind.GIIN),
        ("NI number AB 12 34 56 C", Kind.FOREIGN_TIN),
        ("codice fiscale RSSMRA85T10A562S", Kind.FOREIGN_TIN),
        ("CPF 529.982.247-25", Kind.FOREIGN_TIN),
        ("Steuer-ID 36 574 261 809", Kind.FOREIGN_TIN),
        ("DNI 54362315K", Kind.FOREIGN_TIN),
        ("マイナンバー 1234 5678 9018", Kind.FOREIGN_TIN),
        ("SIN 130 692 544", Kind.FOREIGN_TIN),
        ("Passport no. C01X00T47", Kind.PASSPORT),
        ("Reisepassnummer: C01X00T47", Kind.PASSPORT),
        ("护照号码 E12345678", Kind.PASSPORT),
        ("visa foil number K4829137", Kind.VISA),
        ("DOB 05/04/1980", Kind.BIRTH_DATE),
        ("née le 4 mai 1980", Kind.BIRTH_DATE),
        ("date of birth: May 4, 1980", Kind.BIRTH_DATE),
        ("routing number 021000021, checking account 482913774", Kind.BANK),
        ("IBAN DE12 5001 0517 0648 4898 90", Kind.IBAN),
        ("card 4539 5787 6362 1486, exp 10/27", Kind.CARD),
    ],
)
def test_a_number_with_its_words_is_found(text: str, kind: Kind) -> None:
    assert kind in kinds(PLAIN.format(text))


@pytest.mark.parametrize(
    "text",
    [
        "Phone P: 01 23 45 67 89",
        "Confirmation code 482913",
        "card 4111 1111 1111 1111 is for tests",
        "IMEI 356938035643809",
        "IBAN DE12 5001 0517 0648 4898 91",
        "ISBN 978-3-16-148410-0",
        "tracking 1Z999AA10123456784",
        "VAT no. DE123456789",
        "Your account manager is Ann; customer account 48291",
        "Happy birthday! The party is on June 5, 2026.",
        "The passport photos are late.",
        "visa application by 2026-01-05",
        "Tel. +39 06 4829 1377, fax 06 4829 1378",
        "commit 7c211433f02071597741e6ff5a8ea34789abbf43",
        "urn:uuid:c1f2d3e4-5a6b-7c8d-9e0f-1a2b3c4d5e6f",
    ],
)
def test_what_only_looks_like_one_passes(text: str) -> None:
    assert kinds(PLAIN.format(text)) == set()


def test_a_check_that_chance_hardly_passes_is_proof() -> None:
    for text in ("DE12500105170648489890", "98Q96B.00000.LE.250", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"):
        assert {finding.strength for finding in judge(f"see {text} below").findings} == {Strength.PROOF}


def test_an_answer_counts_with_its_question_only() -> None:
    assert kinds("Sure: AB123456") == set()
    assert kinds("Sure: AB123456\n\nOn Monday Ann wrote:\n> Could you send the passport number of Bo?") == {
        Kind.PASSPORT
    }
