"""What a person signs in with, given by an operator: made by the authenticator, entered by the keyholder."""

from __future__ import annotations

import getpass
import ipaddress
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.cli.asking import authority_of, enact, operator_of_authenticator, programme_of, read
from gateway.cli.output import instant, now_us, say, show_json, show_rows, today
from gateway.config import Settings
from gateway.domain.clock import to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.rights import Side
from gateway.store.listings import Listings
from gateway.store.people import Person, person_by_id

MAX_PASSWORD = 4096


def require_person(settings: Settings, known_as: str) -> str:
    """Return the id of a person given by username, address or id. Raises UnknownRecipient."""
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).person_id(known_as))
    if found is None:
        raise UnknownRecipient(f"Nobody here is known as {known_as}. See: gateway employee list")
    return found


def require_employee(settings: Settings, known_as: str) -> Person:
    """Return an employee given by username, address or id. Raises UnknownRecipient."""
    person = require_person(settings, known_as)
    known = read(settings, lambda rows: person_by_id(rows, person))
    if known is None or known.side is not Side.OFFICE:
        raise UnknownRecipient(f"{known_as} is no employee. See: gateway employee list")
    return known


def give_password(settings: Settings, known_as: str, source: Path | None) -> None:
    """Set a person's password, read from a prompt, standard input or a file. It ends their sessions."""
    person = require_person(settings, known_as)
    password = _read_password(source)
    data = operator_of_authenticator(settings, lambda client: client.make_password(person, password))
    enact(settings, "add_credential", person=person, kind=CredentialKind.PASSWORD.value, label="password", data=data)
    say("The password is set; sessions that were open have ended.")


def give_totp(settings: Settings, known_as: str, *, as_json: bool) -> None:
    """Give a person a seed for an authenticator app; it is shown once."""
    person = require_person(settings, known_as)
    made = operator_of_authenticator(settings, lambda client: client.make_totp(person))
    added = enact(
        settings,
        "add_credential",
        person=person,
        kind=CredentialKind.TOTP.value,
        label="authenticator app",
        data=made.data,
    )
    if as_json:
        show_json({**added, "uri": made.uri})
        return
    if sys.stdout.isatty():
        import segno

        segno.make(made.uri).terminal(compact=True)
    say("Scan this, or type it into the authenticator app. It is shown this once:")
    say(made.uri)


def give_telephone(settings: Settings, known_as: str, number: str, channel: str, *, as_json: bool) -> None:
    """Set the telephone that codes are sent to."""
    person = require_person(settings, known_as)
    data, label = operator_of_authenticator(settings, lambda client: client.make_telephone(person, number, channel))
    kind = CredentialKind.TELEPHONE.value
    added = enact(settings, "add_credential", person=person, kind=kind, label=label, data=data)
    if as_json:
        show_json({**added, "label": label})
        return
    say(f"Codes are sent there: {label}. A number can be taken over: a passkey, or an authenticator app, is surer.")


def give_first_code(settings: Settings, known_as: str, hours: int, *, as_json: bool) -> None:
    """Give a person the code that they type at their first sign-in; it is shown once."""
    person = require_person(settings, known_as)
    made = operator_of_authenticator(settings, lambda client: client.make_first_code())
    added = enact(
        settings,
        "add_credential",
        person=person,
        kind=CredentialKind.FIRST_CODE.value,
        label="first code",
        lookup=made.lookup,
        expires_us=now_us() + hours * 3_600_000_000,
    )
    if as_json:
        show_json({**added, "code": made.clear})
        return
    say(f"Tell them this by telephone or face to face, never by mail. It is good once, for {hours} hours:")
    say(made.clear)
    say(f"They type it at {settings.site.portal_url}first-sign-in")


def give_app_password(
    settings: Settings, known_as: str, label: str, networks: list[str], days: int | None, *, as_json: bool
) -> None:
    """Give an employee a password for one mail tool; it is shown once."""
    person = require_person(settings, known_as)
    made = operator_of_authenticator(settings, lambda client: client.make_app_password())
    expires = None if days is None else to_microseconds(today() + timedelta(days=days))
    added = enact(
        settings,
        "add_credential",
        person=person,
        kind=CredentialKind.APP_PASSWORD.value,
        label=label,
        data=made.data,
        lookup=made.lookup,
        networks=",".join(map(_network, networks)),
        expires_us=expires,
    )
    if as_json:
        show_json({**added, "password": made.clear})
        return
    say("Type this into the mail tool as the password of the outgoing server. It is shown this once:")
    say(made.clear)


def give_certificate(settings: Settings, known_as: str, given: str, *, as_json: bool) -> None:
    """Register a client certificate (its PEM), or the name in one, as an employee's."""
    person = require_person(settings, known_as)
    lookup, label = operator_of_authenticator(settings, lambda client: client.make_certificate(given))
    kind = CredentialKind.CERTIFICATE.value
    added = enact(settings, "add_credential", person=person, kind=kind, label=label, lookup=lookup)
    if as_json:
        show_json({**added, "label": label})
        return
    say(f"{known_as} hands in mail with certificates of this name: {label}")


def list_credentials(settings: Settings, known_as: str, *, as_json: bool, kind: CredentialKind | None = None) -> None:
    """Print what a person signs in with, of one kind or all: kinds, labels, times; never a secret."""
    person = require_person(settings, known_as)
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).credentials(person))
    found = [one for one in found if kind in (None, one["kind"])]
    for one in found:
        for name in ("created", "expires", "last_used"):
            one[name] = instant(one.pop(f"{name}_us"))
    columns = {
        "id": "ID",
        "kind": "KIND",
        "label": "LABEL",
        "networks": "NETWORKS",
        "expires": "EXPIRES",
        "last_used": "USED",
    }
    show_rows(found, columns, as_json=as_json, nothing="no credentials")


def revoke_credential(settings: Settings, known_as: str, credential: str, *, as_json: bool) -> None:
    """End one credential of a person."""
    person = require_person(settings, known_as)
    ended = enact(settings, "revoke_credential", person=person, credential=credential)
    if not ended.get("ended"):
        raise UnknownRecipient("There is no such credential in force. See: gateway employee credentials")
    if as_json:
        show_json(ended)
    else:
        say("The credential is revoked.")


def forgive(settings: Settings, known_as: str) -> None:
    """Let a person sign in again after too many wrong passwords."""
    person = require_person(settings, known_as)
    operator_of_authenticator(settings, lambda client: client.forgive(person))
    say("The failed sign-ins are forgiven.")


def end_of_persons_day(settings: Settings, person_id: str, text: str) -> int:
    """Return the first microsecond after a date (`2027-01-31`) of a person's programme. Raises Malformed."""
    known = read(settings, lambda rows: person_by_id(rows, person_id))
    return end_of_day(text, programme_of(settings, known.programme if known else "").zone)


def end_of_day(text: str, zone: ZoneInfo) -> int:
    """Return the first microsecond after a date (`2027-01-31`) of a programme's zone. Raises Malformed."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Malformed("A date is written as 2027-01-31.") from None
    return to_microseconds(datetime.combine(day + timedelta(days=1), time(), zone))


def _read_password(source: Path | None) -> str:
    if source is None and sys.stdin.isatty():
        password = getpass.getpass("New password: ")
        if getpass.getpass("Once more: ") != password:
            raise Malformed("The two differ. Nothing was changed.")
        return password
    if source is None or str(source) == "-":
        return sys.stdin.readline(MAX_PASSWORD).rstrip("\r\n")
    with source.open(encoding="utf-8") as file:
        return file.readline(MAX_PASSWORD).rstrip("\r\n")


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise Malformed(f"{text} is no network. Write it as 192.0.2.0/24.") from None
