from __future__ import annotations

import pytest

from gateway.domain.assurance import Assurance

FULL = Assurance(2, 2, resists_phishing=True)


@pytest.mark.parametrize("level", [Assurance(), Assurance(1, 2), FULL])
def test_what_is_written_is_read_again(level: Assurance) -> None:
    assert Assurance.parse(str(level)) == level


@pytest.mark.parametrize("words", ["", "ial2", "aal2 ial2", "ial4 aal2", "ial2 aal2 ", "ial2 aal2 phishing"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="levels"):
        Assurance.parse(words)


def test_every_respect_has_to_be_met() -> None:
    assert FULL.meets(Assurance(2, 2))
    assert not Assurance(1, 3).meets(Assurance(2, 2))
    assert not Assurance(3, 1).meets(Assurance(2, 2))
    assert not Assurance(2, 2).meets(FULL)
    assert Assurance(2, 0).joined(Assurance(0, 2, resists_phishing=True)) == FULL


def test_levels_beyond_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 3"):
        Assurance(4, 0)
