"""What the commands of enrolment share: finding agreements and users, reading fields, telling what a step came to."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.asking import authority_of, programme_of, programmes_of, read
from gateway.cli.output import instant, now_us, say, show_json
from gateway.config import Settings
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.programme import Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.enrolments import Enrolments

MAX_FILE = 1024 * 1024


def find_user(settings: Settings, known_as: str) -> dict[str, Any]:
    """Return a designated user given as `E-7K2Q-9F4T.2`. Raises UnknownRecipient."""
    found = read(settings, lambda connection: _enrolments(settings, connection).user(known_as))
    if found is None:
        raise UnknownRecipient(f"There is no designated user {known_as}. See: gateway enrolment show AGREEMENT")
    return found


def tell_step(done: dict[str, Any], known_as: str, *, as_json: bool) -> None:
    """Print what a step came to, or that it waits for a second person."""
    waits = done.get("waits_for_second_person")
    until = instant(done.get("until_us"))
    words = f"{known_as} is {done.get('state', 'done')}" + (f", until {until}." if until else ".")
    if waits:
        words = f"This needs a second person: gateway enrolment approve {waits}"
    tell(done, words, as_json=as_json)


def json_object(source: Path | None) -> dict[str, Any]:
    """Return the JSON object of a file or standard input, or an empty one. Raises Malformed."""
    if source is None:
        return {}
    try:
        text = sys.stdin.read(MAX_FILE) if str(source) == "-" else source.read_text("utf-8")[:MAX_FILE]
        value = json.loads(text)
    except ValueError:
        raise Malformed("The fields are one JSON object.") from None
    if not isinstance(value, dict):
        raise Malformed("The fields are one JSON object.")
    return value


def text_fields(value: dict[str, Any]) -> dict[str, str]:
    """Return fields as texts. Raises Malformed for anything else."""
    if not all(isinstance(one, str) for one in value.values()):
        raise Malformed("A field's value is a text.")
    return {str(key): str(one) for key, one in value.items()}


def agreements(settings: Settings, state: str | None) -> list[dict[str, Any]]:
    """Return the agreements that came by a form, in a state or all."""
    found = read(settings, lambda connection: _enrolments(settings, connection).agreements(state))
    return [with_instants(one) for one in found]


def found_agreement(settings: Settings, known_as: str) -> dict[str, Any]:
    """Return everything of one agreement. Raises UnknownRecipient."""
    found = read(settings, lambda connection: _enrolments(settings, connection).agreement(known_as))
    if found is None:
        raise UnknownRecipient(f"There is no agreement {known_as}. See: gateway enrolment list")
    return found


def shown(settings: Settings, known_as: str) -> dict[str, Any]:
    """Return the same for people: with times as text. Raises UnknownRecipient."""
    facts: dict[str, Any] = with_instants(found_agreement(settings, known_as))
    return facts


def programme_of_agreement(settings: Settings, agreement: str) -> Programme:
    """Return the programme of an agreement. Raises UnknownRecipient."""
    return programme_of(settings, found_agreement(settings, agreement)["programme"])


def typed(what: str) -> str:
    """Return one line from a prompt that shows nothing, or from standard input."""
    text = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline(MAX_FILE)
    return text.strip()


def with_instants(value: Any) -> Any:
    """Return the same with every instant as ISO 8601, under its name without `_us`."""
    if isinstance(value, list):
        return [with_instants(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key.removesuffix("_us"): instant(one) if key.endswith("_us") else with_instants(one)
        for key, one in value.items()
    }


def tell(done: dict[str, Any], words: str, *, as_json: bool) -> None:
    """Print words, or the JSON of what was done."""
    if as_json:
        show_json(done)
    else:
        say(words)


def _enrolments(settings: Settings, connection: Connection) -> Enrolments:
    from gateway.store.enrolments import Enrolments

    return Enrolments(connection, authority_of(settings), now_us(), programmes_of(settings))
