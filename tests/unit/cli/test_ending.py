from __future__ import annotations

import os

import pytest
import typer

from gateway.cli.app import assembled
from gateway.cli.ending import end_for
from gateway.domain import errors
from gateway.supervisor import StartFailed


def ended(problem: BaseException) -> int:
    def command() -> int:
        raise problem

    return end_for(command)


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (errors.ConfigError("words"), 78),
        (errors.UnknownRecipient("words"), 67),
        (errors.NotAllowed("words"), 77),
        (errors.NotAuthenticated("words"), 77),
        (errors.Malformed("words"), 65),
        (errors.TooLarge("words"), 65),
        (errors.Tampered("words"), 65),
        (errors.StoreFull("words"), 73),
        (errors.StoreUnavailable("words"), 69),
        (errors.KeyholderUnavailable("words"), 69),
        (errors.Overloaded("words"), 75),
        (errors.RateExceeded("words"), 75),
        (errors.GatewayError("words"), 70),
        (typer.BadParameter("words"), 64),
        (PermissionError(13, "words", "/etc/shadow"), 73),
        (OSError(5, "words"), 71),
        (KeyboardInterrupt(), 130),
        (typer.Abort(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_error_has_its_exit_code_and_a_line(
    problem: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(problem) == code
    told = capsys.readouterr().err
    assert told.startswith("gateway: ")
    assert len(told.splitlines()) == 1


def test_every_error_of_the_tree_has_a_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GatewayError)]
    assert len(kinds) > 15
    for kind in kinds:
        assert ended(kind("words")) >= os.EX_USAGE


def test_the_unexpected_gets_a_number_and_never_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(RuntimeError("taxpayer 078-05-1120")) == os.EX_SOFTWARE
    told = capsys.readouterr().err
    assert "incident" in told
    assert "Traceback" not in told
    assert "078-05" not in told


def test_a_program_that_did_not_start_gives_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(StartFailed("portal", 78)) == 78
    assert ended(StartFailed("portal", -9)) == os.EX_UNAVAILABLE
    assert "portal did not start" in capsys.readouterr().err


def test_a_report_of_several_lines_has_each_marked(capsys: pytest.CaptureFixture[str]) -> None:
    ended(errors.ConfigError("one\ntwo"))
    assert capsys.readouterr().err == "gateway: one\ngateway: two\n"


@pytest.mark.parametrize(
    ("called", "advice"),
    [
        (["nothing"], "Try: gateway --help"),
        (["employee", "nothing"], "Try: gateway employee --help"),
        (["employee", "add"], "Try: gateway employee add --help"),
    ],
)
def test_who_calls_a_command_wrongly_is_sent_to_the_help_of_that_command(
    called: list[str], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = typer.main.get_command(assembled(called[:1]))
    assert end_for(lambda: int(command.main(called, prog_name="gateway", standalone_mode=False))) == 64
    assert capsys.readouterr().err.endswith(f"{advice}\n")
