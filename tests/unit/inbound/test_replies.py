from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import errors
from gateway.domain.errors import GatewayError
from gateway.domain.reply import MAX_LINE, SmtpReply
from gateway.inbound import replies


def tree(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    yield root
    for kind in root.__subclasses__():
        yield from tree(kind)


DOMAIN_KINDS = sorted({kind for kind in tree() if kind.__module__ == errors.__name__}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", DOMAIN_KINDS)
def test_every_error_of_the_tree_has_its_own_row(kind: type[GatewayError]) -> None:
    assert kind in replies.TABLE


@pytest.mark.parametrize("kind", DOMAIN_KINDS)
def test_permanent_errors_are_5yz_and_all_others_4yz(kind: type[GatewayError]) -> None:
    assert replies.reply_for(kind("advice")).is_permanent == issubclass(kind, errors.Refused)


def test_the_table_names_nothing_else() -> None:
    assert set(replies.TABLE) == set(DOMAIN_KINDS)


@given(st.sampled_from(DOMAIN_KINDS), st.text(max_size=1000))
def test_any_advice_becomes_one_printable_line(kind: type[GatewayError], advice: str) -> None:
    line = str(replies.reply_for(kind(advice)))
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= MAX_LINE


def test_the_advice_is_what_the_peer_reads() -> None:
    reply = replies.reply_for(errors.NotAllowed("Write to SM-1 only."))
    assert str(reply) == "550 5.7.1 Write to SM-1 only."


def test_line_breaks_in_advice_do_not_make_a_second_reply() -> None:
    assert str(replies.reply_for(errors.NotAllowed("no\r\n250 2.0.0 yes"))) == "550 5.7.1 no 250 2.0.0 yes"


def test_long_advice_is_cut_with_dots() -> None:
    line = str(replies.reply_for(errors.NotAllowed("word, " * 200)))
    assert len(line) <= MAX_LINE
    assert line.endswith("...")


def test_a_subclass_of_an_edge_is_answered_as_its_ancestor() -> None:
    class Locked(errors.StoreUnavailable):
        """Defined by some edge."""

    assert replies.reply_for(Locked("later")) == SmtpReply(451, "4.3.0", "later")


@pytest.mark.parametrize("kind", [errors.Tampered, errors.ConfigError])
def test_our_own_faults_tell_nothing(kind: type[GatewayError]) -> None:
    assert "secret" not in str(replies.reply_for(kind("secret path")))


def test_a_bad_command_brings_its_own_reply() -> None:
    reply = SmtpReply(555, "5.5.4", "SIZE is given twice")
    assert replies.reply_for(replies.BadCommand(reply)) is reply


def test_a_malformed_address_is_not_called_a_malformed_message() -> None:
    reply = replies.reply_for(errors.Malformed("An address has the form name@domain."), malformed=(553, "5.1.3"))
    assert str(reply) == "553 5.1.3 An address has the form name@domain."
    assert replies.reply_for(errors.NotAllowed("no"), malformed=(553, "5.1.3")).code == 550


def test_an_incident_tells_its_number_and_no_more() -> None:
    assert str(replies.incident("00c0ffee")) == (
        "451 4.3.0 something went wrong here, try again later; incident 00c0ffee"
    )
