"""`gateway dkim`: the keys that sign outgoing mail, and how one takes the place of another."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, NameServer
from gateway.cli.output import say, show_json, show_rows, today
from gateway.config import Settings
from gateway.domain.errors import ConfigError, NotAllowed, Unavailable

if TYPE_CHECKING:
    from gateway.outbound.dkim_keys import DkimKey, KeyFolder

app = typer.Typer(
    invoke_without_command=True,
    help="The keys that sign outgoing mail. Without a command: the DNS records to publish for them.",
)

Selector = Annotated[str, typer.Argument(metavar="SELECTOR", help="The key's name, as list shows it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
ALGORITHMS = ("both", "rsa", "ed25519")


@app.callback()
def records(context: typer.Context, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """The keys that sign outgoing mail. Without a command: the DNS records to publish for them, as lines of a zone."""
    if context.invoked_subcommand is not None:
        return
    keys = _folder(settings_of(config)).all()
    if as_json:
        show_json([{"selector": one.selector, "state": one.state, **_record(one)} for one in keys])
        return
    for one in keys:
        say(f"; {one.selector} is {one.state}")
        say(one.record.line)
    if not keys:
        say("no keys. Make some: gateway dkim new")


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the keys, the oldest first: how far each has come, and what is to be done next."""
    settings = settings_of(config)
    rows = [_facts(one, settings) for one in _folder(settings).all()]
    columns = {"selector": "SELECTOR", "algorithm": "ALGORITHM", "state": "STATE", "since": "SINCE", "next": "NEXT"}
    show_rows(rows, columns, as_json=as_json, nothing="no keys. Make some: gateway dkim new")


@app.command()
def new(
    selector: Annotated[str, typer.Argument(metavar="[SELECTOR]", help="Its name; else one of today's date.")] = "",
    algorithm: Annotated[str, typer.Option(help="both (two keys, SELECTOR-rsa and -ed25519), rsa, ed25519.")] = "both",
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Take this private key (PEM) in place of making one.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make keys, and print the DNS records to publish. They do not sign yet."""
    from gateway.outbound.dkim_keys import Algorithm

    if algorithm not in ALGORITHMS:
        raise typer.BadParameter(f"Choose from: {', '.join(ALGORITHMS)}")
    folder = _folder(settings_of(config))
    name = selector or f"gw{today():%Y%m%d}"
    if source is not None:
        made = [folder.take(name, _read(source), today())]
    elif algorithm == "both":
        _require_new(folder, [f"{name}-{one}" for one in Algorithm])
        made = [folder.make(f"{name}-{one}", one, today()) for one in Algorithm]
    else:
        made = [folder.make(name, Algorithm(algorithm), today())]
    if as_json:
        show_json([{"selector": one.selector, "algorithm": one.algorithm, **_record(one)} for one in made])
        return
    for one in made:
        say(one.record.line)
    say()
    say(f"Publish these, then: gateway dkim publish {' '.join(one.selector for one in made)}")


@app.command()
def publish(
    selectors: Annotated[list[str], typer.Argument(metavar="SELECTOR...", help="Keys whose records DNS has now.")],
    nameserver: NameServer = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Look whether DNS has a key's record as it is to be; if so the key is published, and may sign."""
    from gateway.outbound.dkim_keys import KeyState

    settings = settings_of(config)
    folder = _folder(settings)
    keys = [folder.key(one) for one in selectors]
    faults = _faults(settings, nameserver, keys)
    done = [folder.mark(one.selector, KeyState.PUBLISHED, today()) for one in keys if not faults[one.selector]]
    if as_json:
        show_json([{"selector": one, "published": not why, "fault": why} for one, why in faults.items()])
    for one in done if not as_json else ():
        say(f"{one.selector} is published. Let it sign: gateway dkim activate {one.selector}")
    for one in keys if not as_json else ():
        if why := faults[one.selector]:
            say(f"{one.record.name} {why}. To publish:")
            say(one.record.line)
    if len(done) < len(keys):
        raise ConfigError(
            f"DNS does not have {len(keys) - len(done)} of {len(keys)} as they are to be. They do not sign."
        )


@app.command()
def activate(
    selectors: Annotated[list[str], typer.Argument(metavar="SELECTOR...", help="Keys that are published.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let published keys sign from now on; the one of the same algorithm before retires. No restart is needed."""
    settings = settings_of(config)
    folder = _folder(settings)
    retired = [one for selector in selectors for one in folder.activate(selector, today())]
    if as_json:
        show_json({"signing": selectors, "retired": [one.selector for one in retired]})
        return
    say(f"Signing: {', '.join(one.selector for one in folder.signers())}")
    for one in retired:
        say(f"{one.selector} signs no more. Leave its record in DNS until {_until(one, settings)}.")


@app.command()
def retire(selector: Selector, yes: Yes = False, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let a key sign no more, for good. Its record stays in DNS for mail that is under way."""
    from gateway.outbound.dkim_keys import KeyState

    settings = settings_of(config)
    folder = _folder(settings)
    if [one.selector for one in folder.signers()] == [selector]:
        _confirm(f"{selector} is the last key that signs. Send mail without a signature from now on?", yes=yes)
    done = folder.mark(selector, KeyState.RETIRED, today())
    if as_json:
        show_json({"selector": selector, "retired": True})
    else:
        say(f"{selector} signs no more. Leave its record in DNS until {_until(done, settings)}.")


@app.command()
def remove(selector: Selector, yes: Yes = False, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Delete a key that does not sign. Take its record out of DNS, too."""
    settings = settings_of(config)
    folder = _folder(settings)
    found = folder.key(selector)
    until = found.gone_from(_keep(settings))
    if until is not None and today() < until:
        _confirm(f"Mail that {selector} signed may be under way until {until.date()}. Delete it?", yes=yes)
    folder.remove(selector)
    if as_json:
        show_json({"selector": selector, "removed": True})
    else:
        say(f"{selector} is deleted. Take out of DNS: {found.record.name}")


def _folder(settings: Settings) -> KeyFolder:
    from gateway.outbound.dkim_keys import KeyFolder

    return KeyFolder(settings.notifier.dkim.folder, settings.notifier.dkim.domain)


def _faults(settings: Settings, nameserver: str, keys: list[DkimKey]) -> dict[str, str]:
    """Return for each key's selector what is wrong with its record in DNS, "" where nothing is. Raises Unavailable."""
    from gateway.inbound.dns import DnsAway
    from gateway.outbound.dkim_keys import what_differs
    from gateway.publication.lookup import looking_up, nameservers_of

    async def ask() -> dict[str, str]:
        async with looking_up(nameservers_of(settings, nameserver)) as lookup:
            return {one.selector: what_differs(await lookup.texts(one.record.name), one) for one in keys}

    try:
        return asyncio.run(ask())
    except DnsAway:
        raise Unavailable("No name server answers. Try again, or name one: --nameserver ADDRESS") from None


def _require_new(folder: KeyFolder, selectors: list[str]) -> None:
    there = {one.selector for one in folder.all()}
    for one in selectors:
        if one in there:
            raise NotAllowed(f"There is a key {one} already. Give another name: gateway dkim new SELECTOR")


def _read(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError as problem:
        raise ConfigError(f"{source}: cannot be read: {problem.strerror}") from None


def _record(key: DkimKey) -> dict[str, Any]:
    return {"name": key.record.name, "type": key.record.kind, "value": key.record.value, "line": key.record.line}


def _facts(key: DkimKey, settings: Settings) -> dict[str, Any]:
    since = {state.value: at.isoformat(timespec="seconds") for state, at in key.since.items()}
    return {
        "selector": key.selector,
        "algorithm": key.algorithm,
        "state": key.state,
        "since": since[key.state],
        "steps": since,
        "next": _next(key, settings),
    }


def _next(key: DkimKey, settings: Settings) -> str:
    until = key.gone_from(_keep(settings))
    if until is not None:
        gone = today() >= until
        return f"gateway dkim remove {key.selector}" if gone else f"its record stays in DNS until {until.date()}"
    return {"made": f"gateway dkim publish {key.selector}", "published": f"gateway dkim activate {key.selector}"}.get(
        key.state, ""
    )


def _until(key: DkimKey, settings: Settings) -> str:
    until = key.gone_from(_keep(settings))
    return "" if until is None else str(until.date())


def _keep(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.notifier.dkim.keep_seconds)


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} Nobody is here to be asked: say --yes.")
    typer.confirm(question, abort=True)
