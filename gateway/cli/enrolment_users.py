"""Commands of `gateway enrolment` about designated users: named, met, invited, active; their authorisations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from gateway.cli.asking import enact, operator_of_authenticator, programme_of, settings_of
from gateway.cli.credentials import require_person
from gateway.cli.enrolled import find_user, json_object, tell, tell_step, text_fields
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_json, today
from gateway.config import Settings
from gateway.domain.calendar import Appointment, invitation
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.enrolment import Outcome
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.programme import FormKind, Programme

User = Annotated[str, typer.Argument(metavar="USER", help="The second user of an agreement: E-7K2Q-9F4T.2")]
CodeHours = Annotated[
    int | None, typer.Option(min=24, max=72, help="How long the code is good; else the programme says.")
]


def name(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="E-7K2Q-9F4T")],
    address: Annotated[str, typer.Argument(help="The e-mail address on the paper.")],
    name: Annotated[str, typer.Option(help="The name on the paper.")],
    telephone: Annotated[str, typer.Option(help="The telephone number on the paper.")],
    role: Annotated[str, typer.Option(help="A role of the programme, such as agent or representative.")],
    known: Annotated[str, typer.Option(help="Somebody known here whom you take this for: username or id.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Enter a designated user as the form names one. A known person confirms it after signing in."""
    settings = settings_of(config)
    said = {"name": name, "address": address, "telephone": telephone, "role": role}
    person = {"person": require_person(settings, known)} if known else {}
    done = enact(settings, "name_user", agreement=agreement, **said, **person)
    tell(done, f"{name} is named. See: gateway enrolment show {agreement}", as_json=as_json)


def meeting(
    user: User,
    at: Annotated[str, typer.Option(help="When, in the programme's time zone: 2026-12-01T10:00")],
    minutes: Annotated[int, typer.Option(min=5, max=240)] = 30,
    link: Annotated[str, typer.Option(help="The video meeting's https address, for the invitation.")] = "",
    calendar: Annotated[Path | None, typer.Option(help="Write the invitation here, as an .ics file.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Set the authentication meeting. One set before is cancelled. The invitation holds no name and no case."""
    settings = settings_of(config)
    found = find_user(settings, user)
    programme = programme_of(settings, found["programme"])
    starts_us = _instant(at, programme)
    done = enact(
        settings, "schedule_meeting", designated_user=found["id"], starts_us=starts_us, minutes=minutes, link=link
    )
    ics = _invitation(settings, programme, found["language"], done, link)
    if calendar is not None:
        calendar.write_bytes(ics)
    if as_json:
        show_json({**done, "starts": instant(starts_us), "calendar": ics.decode()})
        return
    say(f"The meeting is set for {at} ({programme.time_zone}).")
    say(f"The invitation is in {calendar}." if calendar else "For a calendar file: --calendar FILE")
    say(f"After it: gateway enrolment hold {user} --outcome identified --document KIND --check …")


def hold(
    user: User,
    outcome: Annotated[Outcome, typer.Option(help="What it came to.")],
    document: Annotated[str, typer.Option(help="Which kind of document was shown; never its number.")] = "",
    check: Annotated[list[str] | None, typer.Option(help="What was looked at. Repeatable; all of the list.")] = None,
    every: Annotated[bool, typer.Option("--every", help="All that the programme lists was looked at.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Note what a meeting came to. Nothing of it is recorded or copied."""
    settings = settings_of(config)
    found = find_user(settings, user)
    rules = programme_of(settings, found["programme"]).enrolment
    checks = list(rules.checklist) if every else list(check or [])
    done = enact(
        settings, "hold_meeting", designated_user=found["id"], outcome=outcome.value, document=document, checks=checks
    )
    tell_step(done, user, as_json=as_json)


def invite(
    user: User,
    hours: CodeHours = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Invite an authenticated user. Prints the code, once, to be said in the meeting or by telephone."""
    settings = settings_of(config)
    found = find_user(settings, user)
    if found["confirms_after_signing_in"]:
        done = enact(settings, "invite_user", designated_user=found["id"])
        tell(done, f"{user} is invited: the person confirms it after signing in. No code is needed.", as_json=as_json)
        return
    made = operator_of_authenticator(settings, lambda client: client.make_first_code())
    lasts = hours or programme_of(settings, found["programme"]).enrolment.code_hours
    expires_us = to_microseconds(today() + timedelta(hours=lasts))
    done = enact(settings, "invite_user", designated_user=found["id"], lookup=made.lookup, expires_us=expires_us)
    if as_json:
        show_json({**done, "code": made.clear, "expires": instant(expires_us)})
        return
    say("Say this code in the meeting or by telephone; do not write it down for anyone. It is shown this once:")
    say(made.clear)
    say(f"Good until {instant(expires_us)}, once. Lost? gateway enrolment reissue {user}")


def reissue(
    user: User,
    hours: CodeHours = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Give an invited user another code. Prints it, once; the one before is void."""
    invite(user, hours, config, as_json)


def join(user: User, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let an invited user in. You have handed over their password and code in person."""
    _step(config, "join_user", user, as_json=as_json)


def revoke(user: User, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Take a designated user out of an agreement. On written request; their other places stay. It can be undone for a
    day.
    """
    done = _step(config, "revoke_user", user, as_json=as_json)
    if not as_json and not done.get("waits_for_second_person"):
        say(f"To undo it, within a day: gateway enrolment undo {user}")


def change_address(
    user: User,
    address: Annotated[str, typer.Argument(help="Where they are reached from now on.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Change where a user is written to. On written request."""
    _step(config, "change_address", user, as_json=as_json, address=address)


def authorise(
    user: User,
    kind: Annotated[FormKind, typer.Option(help="authorisation-representative or authorisation-see")],
    source: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="Its fields as one JSON object; - is standard input.")
    ],
    received: Annotated[str, typer.Option(help="The day it came, 2026-11-22; today when left out.")] = "",
    last_day: Annotated[str, typer.Option(help="The last day that the form states, where it does.")] = "",
    case: Annotated[list[str] | None, typer.Option(help="For this case only. Repeatable; all when left out.")] = None,
    specific_use: Annotated[
        bool, typer.Option("--specific-use", help="For one specific use, recorded nowhere else.")
    ] = False,
    keeps_earlier: Annotated[
        bool, typer.Option("--keeps-earlier", help="Copies of earlier ones came with it: those stay.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Enter a form that authorises a designated user. Access begins and ends with it, by itself."""
    settings = settings_of(config)
    found = find_user(settings, user)
    day = received or today().astimezone(programme_of(settings, found["programme"]).zone).date().isoformat()
    done = enact(
        settings,
        "add_authorisation",
        designated_user=found["id"],
        kind=kind.value,
        received=day,
        fields=text_fields(json_object(source)),
        cases=list(case or []),
        last_day=last_day,
        specific_use=specific_use,
        keeps_earlier=keeps_earlier,
    )
    last = f"until the end of {done['last_day']}" if done["last_day"] else "until it is revoked"
    earlier = f" Revoked by it: {len(done['revoked'])}." if done["revoked"] else ""
    tell(done, f"{user} is authorised {last}.{earlier}", as_json=as_json)


def revoke_authorisation(
    user: User,
    number: Annotated[int, typer.Argument(help="The number that show has for it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Revoke an authorisation, in open pages too."""
    settings = settings_of(config)
    found = find_user(settings, user)
    wanted = next((one["id"] for one in found["authorisations"] if one["number"] == number), None)
    if wanted is None:
        raise UnknownRecipient(
            f"{user} has no authorisation {number}. See: gateway enrolment show {found['reference']}"
        )
    done = enact(settings, "revoke_authorisation", authorisation=wanted)
    tell(done, f"Authorisation {number} of {user} is revoked.", as_json=as_json)


COMMANDS: Mapping[str, Callable[..., None]] = {
    "name": name,
    "meeting": meeting,
    "hold": hold,
    "invite": invite,
    "reissue": reissue,
    "join": join,
    "revoke": revoke,
    "change-address": change_address,
    "authorise": authorise,
    "revoke-authorisation": revoke_authorisation,
}


def _step(config: Path, verb: str, user: str, *, as_json: bool, **arguments: str) -> dict[str, Any]:
    settings = settings_of(config)
    done = enact(settings, verb, designated_user=find_user(settings, user)["id"], **arguments)
    tell_step(done, user, as_json=as_json)
    return done


def _instant(text: str, programme: Programme) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("A time is written as 2026-12-01T10:00.") from None
    return to_microseconds(at if at.tzinfo else at.replace(tzinfo=programme.zone))


def _invitation(settings: Settings, programme: Programme, language: str, done: Mapping[str, Any], link: str) -> bytes:
    words = programme.words(language)
    host = urlsplit(settings.site.portal_url).hostname or settings.site.domain
    starts, ends = from_microseconds(done["starts_us"]), from_microseconds(done["ends_us"])
    return invitation(
        Appointment(done["meeting"], host, starts, ends, today(), words.meeting or words.sender, words.ask, link)
    )
