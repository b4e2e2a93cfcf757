"""A notice holds what a person may be told by plain mail, and cannot be made to hold more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.notice import Notice, NoticeKind, message_id
from gateway.domain.reference import Reference

AT = datetime(2026, 3, 1, 15, tzinfo=UTC)
REFERENCE = Reference("SM", "7K2Q", "9F4T")


def notice(**changes: object) -> Notice:
    fields: dict[str, object] = {
        "kind": NoticeKind.MESSAGE_WAITING,
        "language": "en",
        "reference": REFERENCE,
        "portal": "https://gateway.example/",
        "at": AT,
        "environment": "production",
    }
    return Notice(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_portal_is_one_fixed_address_without_path_or_query() -> None:
    assert notice(portal="https://gateway.example:8443/").host == "gateway.example:8443"
    for address in (
        "http://gateway.example/",
        "https://gateway.example",
        "https://gateway.example/m/SM-7K2Q",
        "https://gateway.example/?t=secret",
        "https://user@gateway.example/",
        "https://gateway.example/\r\nBcc: x@y.example",
        "https://gateway.example/\n",
    ):
        with pytest.raises(ValueError, match="portal"):
            notice(portal=address)


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "English"},
        {"language": "en\n"},
        {"environment": "Demo\r\nX: y"},
        {"environment": "demo\n"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"zone": "Europe/Zurich\n"},
        {"zone": "Europe"},
        {"count": -1},
        {"count": 10_000},
        {"at": datetime(2026, 3, 1)},  # noqa: DTZ001 - the point of the test
        {"until": datetime(2026, 3, 1)},  # noqa: DTZ001 - the point of the test
    ],
)
def test_a_field_that_is_not_of_its_kind_makes_no_notice(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        notice(**changes)


def test_a_notice_says_whether_it_is_of_a_trial() -> None:
    assert not notice().is_trial
    assert notice(environment="demo").is_trial


def test_the_message_id_of_an_outbox_row_is_always_the_same() -> None:
    assert message_id("0123456789abcdef", "gateway.example") == "<notice.0123456789abcdef@gateway.example>"


@given(st.text(), st.text())
def test_a_message_id_is_one_token_or_is_refused(row: str, host: str) -> None:
    try:
        made = message_id(row, host)
    except ValueError:
        return
    assert made.isascii()
    assert not set(made[1:-1]) & set(' <>\r\n\t"')
