"""`gateway enrolment`: consent forms that have come, from the paper to access, and the way out.

What the form says sealed (numbers of taxpayers) is never an argument of a command: it is read from a prompt, a file or
standard input, and shown only when it is asked for, on record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import enrolment_users, joining, recertifying
from gateway.cli.asking import authority_of, enact, operator_of_keyholder, programme_of, read, settings_of
from gateway.cli.enrolled import (
    agreements,
    find_user,
    found_agreement,
    json_object,
    programme_of_agreement,
    shown,
    tell,
    tell_step,
    text_fields,
    typed,
)
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows, today
from gateway.config import Settings
from gateway.domain.enrolment import AgreementState
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.programme import FormKind, Programme

app = typer.Typer(no_args_is_help=True, help="Enrolment: consent forms, designated users, authorisations.")
for _name, _command in enrolment_users.COMMANDS.items():
    app.command(_name)(_command)
app.command("funnel")(joining.funnel)
app.command("recertify")(recertifying.recertify)

Agreement = Annotated[str, typer.Argument(metavar="AGREEMENT", help="The reference that list shows: E-7K2Q-9F4T.")]
Either = Annotated[str, typer.Argument(metavar="AGREEMENT|USER", help="E-7K2Q-9F4T, or its second user: .2")]
FromFile = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="Fields as one JSON object; - is standard input.")
]


@app.command("open")
def open_(
    source: FromFile = None,
    case: Annotated[list[str] | None, typer.Option(help="A case it covers. Repeatable.")] = None,
    item: Annotated[str, typer.Option(help="The item of the intake tray that shows the form.")] = "",
    received: Annotated[str, typer.Option(help="The day it came, 2026-11-22; today when left out.")] = "",
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Enter a consent form with the fields that are there. A list `users` in the JSON names designated users."""
    settings = settings_of(config)
    chosen = programme_of(settings, programme)
    fields, users = _form_in(source)
    day = received or today().astimezone(chosen.zone).date().isoformat()
    made = enact(settings, "open_agreement", programme=chosen.key, received=day, cases=list(case or []), fields=fields)
    reference = str(made["reference"])
    if item:
        operator_of_keyholder(settings, lambda keyholder: keyholder.paper_link(reference, item))
    left_out = _name_users(settings, reference, users)
    if as_json:
        show_json({**made, "left_out": left_out, **shown(settings, reference)})
        return
    say(f"{reference} is received.")
    for one in left_out:
        say(f"Not entered: user {one['number']}: {one['why']}")
    _say_next(found_agreement(settings, reference))


@app.command("list")
def list_(
    state: Annotated[AgreementState | None, typer.Option(help="In this state only.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the agreements that came by a form. The one that was moved last comes first."""
    settings = settings_of(config)
    rows = agreements(settings, state)
    columns = {
        "reference": "AGREEMENT", "state": "STATE", "received": "RECEIVED", "cases": "CASES", "users": "USERS",
        "until": "ENDS",
    }  # fmt: skip
    show_rows(rows, columns, as_json=as_json, nothing="no agreements by a form")


@app.command()
def show(
    agreement: Agreement,
    sealed: Annotated[bool, typer.Option("--sealed", help="Open sealed fields, too. This is put on record.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show one agreement. Its fields, what is missing, its users, their meetings and authorisations."""
    settings = settings_of(config)
    facts = shown(settings, agreement)
    if sealed:
        facts["fields"] |= operator_of_keyholder(settings, lambda keyholder: keyholder.paper_open(facts["reference"]))
    if as_json:
        show_json(facts)
        return
    users = facts.pop("designated_users")
    fields, documents, waits = facts.pop("fields"), facts.pop("documents"), facts.pop("waits_for_second_person")
    show_facts(facts, as_json=False)
    say()
    show_facts(fields, as_json=False)
    for user in users:
        _show_user(facts["reference"], user)
    for one in documents:
        say(f"\ndocument {one['item']}: shows the {one['shows']}; gateway intake show {one['item']} --text")
    for one in waits:
        say(f"\nwaits for a second person: {one['verb']}; gateway enrolment approve {one['id']}")


@app.command("set")
def set_(
    agreement: Agreement,
    key: Annotated[str, typer.Argument(help="The field's key, as show names it.")],
    value: Annotated[str, typer.Argument(help="Its value; left out for a sealed one, and for several lines.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write one field as it stands on the paper. A sealed one is read from a prompt or standard input."""
    settings = settings_of(config)
    if value and _is_sealed(programme_of_agreement(settings, agreement), key):
        raise Malformed("This field is sealed: leave its value out, and type it when asked, or pipe it in.")
    done = enact(settings, "set_fields", agreement=agreement, fields={key: value or typed(key)})
    tell(done, f"{key} is set. Missing: {', '.join(done['missing']) or 'nothing'}", as_json=as_json)


@app.command()
def cover(
    agreement: Agreement,
    case: Annotated[str, typer.Argument(help="The case's reference.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it out, now.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let an agreement cover a case, or no more."""
    verb = "uncover_case" if remove else "cover_case"
    done = enact(settings_of(config), verb, agreement=agreement, case=case)
    tell(done, f"{agreement} covers {case}{' no more' if remove else ''}.", as_json=as_json)


@app.command()
def link(
    paper: Annotated[str, typer.Argument(help="AGREEMENT for its form, or the id of an authorisation's paper.")],
    item: Annotated[str, typer.Argument(help="The item of the intake tray, such as U-7K2Q-9F4T.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Link what came in to a paper. It leaves the tray, and is sealed to the agreement's own key."""
    operator_of_keyholder(settings_of(config), lambda keyholder: keyholder.paper_link(paper, item))
    tell(
        {"paper": paper, "item": item}, f"{item} is linked. To undo it: gateway intake put-back {item}", as_json=as_json
    )


@app.command()
def find(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Find agreements by a sealed value. A taxpayer's number, say, read from a prompt or standard input."""
    settings, value = settings_of(config), typed("value")
    found = operator_of_keyholder(settings, lambda keyholder: keyholder.paper_find(value))
    show_rows([{"reference": one} for one in found], {"reference": "AGREEMENT"}, as_json=as_json, nothing="none found")


@app.command()
def ask(agreement: Agreement, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Note that you ask for what is missing. Prints what that is."""
    settings = settings_of(config)
    done = enact(settings, "ask_agreement", agreement=agreement)
    labels = _labels(programme_of_agreement(settings, agreement))
    asked = [labels.get(key, key) for key in done["missing"]]
    tell({**done, "labels": asked}, "Ask for:\n" + "\n".join(f"  {one}" for one in asked), as_json=as_json)


@app.command()
def review(agreement: Agreement, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Accept a form. Every field is there and was checked against the paper."""
    _step(config, "review_agreement", agreement, as_json=as_json)


@app.command()
def refuse(
    agreement: Agreement,
    reason: Annotated[str, typer.Option(help="incomplete, not-signed, not-authorised, duplicate, withdrawn, other")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Turn a form away."""
    _step(config, "refuse_agreement", agreement, as_json=as_json, reason=reason)


@app.command()
def suspend(agreement: Either, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Stop access now. By a whole agreement, or of one user."""
    _either(config, "suspend", agreement, as_json=as_json)


@app.command()
def resume(agreement: Either, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Give access back."""
    _either(config, "resume", agreement, as_json=as_json)


@app.command()
def undo(agreement: Either, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Take the last step back. Within a day, where the rule allows it."""
    _either(config, "undo", agreement, as_json=as_json)


@app.command()
def notice(agreement: Agreement, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Note that it was ended in writing. Access ends by itself when the programme's notice has passed."""
    _step(config, "give_notice", agreement, as_json=as_json)


@app.command()
def end(agreement: Agreement, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """End an agreement now, with every place in it. This is not undone."""
    _step(config, "end_agreement", agreement, as_json=as_json)


@app.command()
def approve(
    approval: Annotated[str, typer.Argument(metavar="ID", help="What show names as waiting for a second person.")],
    decline: Annotated[bool, typer.Option("--decline", help="Let it lapse instead.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Do what somebody else has asked for. Where the programme wants two people."""
    done = enact(settings_of(config), "decline" if decline else "approve", approval=approval)
    tell(done, "It has lapsed." if decline else f"Done: {done.get('state', 'yes')}.", as_json=as_json)


@app.command()
def report(
    due: Annotated[int, typer.Option(min=1, max=400, help="Authorisations that end within so many days.")] = 60,
    stale: Annotated[int, typer.Option(min=1, max=4000, help="Nobody signed in for so many days.")] = 90,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show whose access somebody has to look at. Without a form, without access, late, due, stale, privileged."""
    from gateway.store.recertification import recertify

    settings = settings_of(config)
    found = read(settings, lambda rows: recertify(rows, authority_of(settings), due, stale, now_us()))
    findings = [
        {"finding": one.kind.value, "username": one.username, "name": one.name, "at": instant(one.at_us)}
        for one in found.findings
    ]
    if as_json:
        counts = {"with_access": found.with_access, "with_account": found.with_account}
        show_json({**counts, "with_telephone": found.with_telephone, "findings": findings})
        return
    say(f"{found.with_access} people have access, {found.with_account} can sign in.")
    say(f"{found.with_telephone} get codes by text message or call, which is restricted: offer another way.")
    columns = {"finding": "FINDING", "username": "USERNAME", "name": "NAME", "at": "AT"}
    show_rows(findings, columns, as_json=False, nothing="nothing to look at")


def _form_in(source: Path | None) -> tuple[dict[str, str], list[dict[str, Any]]]:
    value = json_object(source)
    users = value.pop("users", [])
    if not isinstance(users, list) or not all(isinstance(one, dict) for one in users):
        raise Malformed("users is a list of objects with name, address, telephone and role.")
    return text_fields(value), users


def _name_users(settings: Settings, reference: str, users: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name the users of a form; return those that could not be, and why: the others stand."""
    left_out = []
    for number, user in enumerate(users, 1):
        try:
            said = {key: str(user.get(key, "")) for key in ("name", "address", "telephone", "role")}
            enact(settings, "name_user", agreement=reference, **said)
        except (Malformed, UnknownRecipient) as problem:
            left_out.append({"number": number, "why": problem.advice})
    return left_out


def _step(config: Path, verb: str, agreement: str, *, as_json: bool, **arguments: str) -> None:
    tell_step(enact(settings_of(config), verb, agreement=agreement, **arguments), agreement, as_json=as_json)


def _either(config: Path, step: str, known_as: str, *, as_json: bool) -> None:
    settings = settings_of(config)
    if "." in known_as:
        done = enact(settings, f"{step}_user", designated_user=find_user(settings, known_as)["id"])
    else:
        done = enact(settings, f"{step}_agreement", agreement=known_as)
    tell_step(done, known_as, as_json=as_json)


def _labels(programme: Programme) -> dict[str, str]:
    form = programme.form(FormKind.CONSENT)
    return {one.key: one.label for one in form.fields} if form else {}


def _is_sealed(programme: Programme, key: str) -> bool:
    form = programme.form(FormKind.CONSENT)
    field = form.field(key) if form else None
    return field is not None and field.sealed


def _say_next(found: dict[str, Any]) -> None:
    missing = [*found["missing"], *([] if found["cases"] else ["a case"])]
    if missing:
        say(f"Missing: {', '.join(missing)}. Next: gateway enrolment set {found['reference']} KEY VALUE")
    else:
        say(f"Nothing is missing. Check it against the paper, then: gateway enrolment review {found['reference']}")


def _show_user(reference: str, user: dict[str, Any]) -> None:
    say(f"\nuser {reference}.{user['number']}")
    shown = ("name", "address", "telephone", "role", "state", "username", "needs", "confirms_after_signing_in")
    show_facts({key: user[key] for key in shown}, as_json=False)
    for one in user["meetings"]:
        checks = f", {one['document']} seen by {one['held_by']}" if one["document"] else ""
        say(f"meeting {one['starts']}: {one['outcome']}{checks}")
    for one in user["authorisations"]:
        ends = f"revoked {one['revoked']}" if one["revoked"] else f"until {one['until'] or 'it is revoked'}"
        say(f"authorisation {one['number']}: {one['kind']}, {one['right']}, {ends}, paper {one['paper']}")
