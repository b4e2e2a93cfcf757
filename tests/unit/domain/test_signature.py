from __future__ import annotations

import pytest

from gateway.domain.signature import Reason, Scheme, Signature, Signer, State, broken, known, unchecked, unknown

INES = Signer("Ines Adler", ("old@agency.example", "Ines@Agency.example"))


@pytest.mark.parametrize("author", ["ines@agency.example", " INES@agency.example "])
def test_a_signer_known_here_is_good_for_their_own_address(author: str) -> None:
    assert known(Scheme.SMIME, INES, author).state is State.GOOD


@pytest.mark.parametrize("author", ["", "eve@agency.example", "ines@agency.example.evil.example", "Ines Adler"])
def test_a_signer_known_here_is_another_for_any_other_address(author: str) -> None:
    assert known(Scheme.SMIME, INES, author).state is State.ANOTHER
    assert known(Scheme.OPENPGP, Signer("Ines Adler"), author).state is State.ANOTHER


def test_a_result_has_a_reason_exactly_when_it_needs_one() -> None:
    assert unknown(Scheme.SMIME, Reason.ISSUER, INES).reason is Reason.ISSUER
    assert unchecked(Scheme.SMIME, Reason.BUSY).reason is Reason.BUSY
    assert broken(Scheme.SMIME).reason is None
    for state in State:
        reason = None if state in (State.UNKNOWN, State.UNCHECKED) else Reason.BUSY
        with pytest.raises(ValueError):
            Signature(Scheme.SMIME, state, reason, INES)


def test_a_good_result_names_an_address() -> None:
    with pytest.raises(ValueError):
        Signature(Scheme.SMIME, State.GOOD, signer=Signer("Ines Adler"))
