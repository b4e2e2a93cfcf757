from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.identity.totp import enrolment_uri, matching_step, new_seed

RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_codes_are_those_of_rfc_6238_appendix_b(at: int, code: str) -> None:
    assert matching_step(RFC_SEED, code, at) == at // 30


def test_one_step_early_or_late_is_taken_and_two_are_not() -> None:
    at = 1111111109
    assert matching_step(RFC_SEED, "081804", at + 30) == at // 30
    assert matching_step(RFC_SEED, "081804", at - 30) == at // 30
    assert matching_step(RFC_SEED, "081804", at + 60) is None
    assert matching_step(RFC_SEED, "081804", at - 60) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "28708é", "\u0662\u0668\u0667\u0660\u0668\u0662", "x" * 9999])
def test_anything_else_is_no_code(code: str) -> None:
    assert matching_step(RFC_SEED, code, 59) is None


def test_a_code_may_be_typed_with_a_space() -> None:
    assert matching_step(RFC_SEED, " 287 082 ", 59) == 1


def test_a_seed_has_160_bits_and_its_uri_tells_it() -> None:
    seed = new_seed()
    assert len(seed) == 32
    assert seed != new_seed()
    uri = urlsplit(enrolment_uri(seed, "Erin", "Gateway"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == [seed]
