from __future__ import annotations

import pytest

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Chunk
from tests.corpus.odd_mail import ENCRYPTED, MAILS, Parties
from tests.corpus.ordinary_mail import ORDINARY
from tests.unit.screening.extraction.reading import items


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_there_are_enough_of_them() -> None:
    assert len(ORDINARY) >= 60


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_mail_is_not_ambiguous_and_all_its_text_is_found(name: str) -> None:
    found = items(ORDINARY[name].octets)
    refused = [item for item in found if isinstance(item, Unreadable)]
    assert [each for each in refused if each.why in (Unread.AMBIGUOUS, Unread.OVER_LIMIT, Unread.ENCRYPTED)] == []
    text = squeezed(" ".join(item.text for item in found if isinstance(item, Chunk)))
    assert [words for words in ORDINARY[name].texts if squeezed(words) not in text] == []


# Odd, and not what ordinary mailers make: lines like delimiters.
_AMBIGUOUS = {"boundaries_that_begin_alike"}


@pytest.mark.parametrize("name", [name for name in MAILS if name != "attachment_of_25_mb" and name not in ENCRYPTED])
def test_odd_but_legal_mail_is_read_too(name: str) -> None:
    found = items(MAILS[name](Parties()))
    assert any(isinstance(item, Chunk) for item in found)
    ambiguous = [item for item in found if isinstance(item, Unreadable) and item.why is Unread.AMBIGUOUS]
    assert bool(ambiguous) == (name in _AMBIGUOUS)
