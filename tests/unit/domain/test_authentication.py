from __future__ import annotations

import pytest

from gateway.domain.authentication import Authentication, Method, Proof, Result


def test_the_line_of_rfc_8601_is_ascii_and_quotes_what_is_no_word() -> None:
    odd = Proof(Method.SPF, Result.PASS, (("smtp.mailfrom", 'a b;"\\\r\n\u00e9'),))
    told = str(Authentication("mx.example.gov", "", is_aligned=False, proofs=(odd,)))
    assert told == 'mx.example.gov; spf=pass smtp.mailfrom="a b;?????"'
    assert str(Authentication("mx.example.gov")) == "mx.example.gov; none"
    assert str(Authentication()) == ""


@pytest.mark.parametrize(
    ("proofs", "aligned", "outcome"),
    [
        ((), False, Result.NONE),
        ((Proof(Method.DMARC, Result.FAIL),), False, Result.FAIL),
        ((Proof(Method.DMARC, Result.NONE),), True, Result.PASS),
        ((Proof(Method.DMARC, Result.TEMPERROR), Proof(Method.SPF, Result.FAIL)), False, Result.NONE),
    ],
)
def test_it_comes_to_one_word(proofs: tuple[Proof, ...], aligned: bool, outcome: Result) -> None:
    assert Authentication("h", "tours.example", aligned, proofs).outcome is outcome


def test_the_best_result_of_a_method_counts() -> None:
    found = Authentication(proofs=(Proof(Method.DKIM, Result.FAIL), Proof(Method.DKIM, Result.PASS)))
    assert found.of(Method.DKIM) is Result.PASS
    assert found.of(Method.ARC) is Result.NONE
