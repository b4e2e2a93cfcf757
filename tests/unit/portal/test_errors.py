from __future__ import annotations

import inspect

import pytest
from starlette.exceptions import HTTPException

from gateway.domain import errors
from gateway.domain.errors import GatewayError, NotAllowed, RateExceeded, Unavailable
from gateway.portal.errors import ABSENT, INCIDENT, TABLE, AccessEnded, answer_for
from gateway.resources import templates_folder

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GatewayError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_row_of_its_own(kind: type[GatewayError]) -> None:
    assert kind in TABLE


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, Unavailable)])
def test_what_is_temporary_says_when_to_come_back(kind: type[GatewayError]) -> None:
    answer = answer_for(kind("x"))
    assert answer.status == (429 if kind is RateExceeded else 503)
    assert answer.retry_after


def test_absent_and_forbidden_and_ended_are_one_answer() -> None:
    assert answer_for(NotAllowed("x")) is answer_for(HTTPException(404)) is answer_for(AccessEnded("x")) is ABSENT


def test_what_no_row_foresees_is_an_incident() -> None:
    assert answer_for(ValueError("x")) is INCIDENT
    assert answer_for(KeyError("x")).status == 500


def test_every_kind_has_words_on_the_page() -> None:
    page = (templates_folder() / "portal" / "error.html").read_text("utf-8")
    for answer in TABLE.values():
        assert f'"{answer.kind}"' in page
