"""`gateway employee key`: the OpenPGP key or S/MIME certificate that an employee's full copies are encrypted to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import credentials
from gateway.cli.asking import authority_of, enact, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.config import Settings
from gateway.domain.errors import Malformed, Unavailable, UnknownRecipient

app = typer.Typer(no_args_is_help=True, help="The key that full copies of replies are encrypted to.")


@app.command()
def add(
    who: Who,
    file: Annotated[Path | None, typer.Argument(help="The public key, or the certificate; never a secret key.")] = None,
    look_up: Annotated[
        bool, typer.Option("--look-up", help="In place of a file: from the domain's directory.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Check a key and hand it in for an employee. It is of no use before they enter the code that is mailed to them."""
    if (file is None) != look_up:
        raise Malformed("Give a file, or --look-up.")
    settings = settings_of(config)
    person = credentials.require_person(settings, who)
    facts = asyncio.run(_checked(settings, person, None if file is None else _read(file)))
    added = enact(settings, "add_recipient_key", person=person, **facts)
    if as_json:
        show_json({**added, "fingerprint": facts["fingerprint"], "address": facts["address"]})
        return
    say(f"A key of {who} waits for its code: {facts['fingerprint']}")
    say(f"The code goes to {facts['address']}, encrypted. They enter it at {settings.site.portal_url}account/full-copy")


@app.command()
def show(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show the key in use, and one that waits for its code."""
    from gateway.store.recipient_keys import keys_of

    settings = settings_of(config)
    person = credentials.require_person(settings, who)
    rows = read(settings, lambda source: keys_of(source, authority_of(settings), person, now_us()))
    found = [
        {
            "kind": row.kind,
            "address": row.address,
            "fingerprint": row.fingerprint,
            "expires": instant(row.expires_us),
            "state": "waits for its code" if row.confirmed_us is None else "in use",
        }
        for row in rows
    ]
    columns = {"kind": "KIND", "address": "ADDRESS", "fingerprint": "FINGERPRINT", "expires": "ENDS", "state": "STATE"}
    show_rows(found, columns, as_json=as_json, nothing=f"no key: gateway employee key add {who} FILE")


@app.command()
def remove(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Take an employee's key away, now: replies are told by their link only."""
    settings = settings_of(config)
    ended = enact(settings, "remove_recipient_key", person=credentials.require_person(settings, who))
    if not ended.get("ended"):
        raise UnknownRecipient(f"{who} has no key. See: gateway employee key show")
    if as_json:
        show_json(ended)
    else:
        say(f"No full copy is made for {who} any more.")


async def _checked(settings: Settings, person: str, octets: bytes | None) -> dict[str, Any]:
    """Return the arguments of the verb, for a key in a file or, without one, from the directory."""
    from gateway.casework.recipient_keys import in_pieces
    from gateway.domain.address import parse_address
    from gateway.domain.clock import to_microseconds
    from gateway.domain.recipient_key import code_hash, new_code, proof_words
    from gateway.parcels.lookup import look_up
    from gateway.parcels.making import ParcelFailed
    from gateway.parcels.proving import proof_for
    from gateway.parcels.site import checker_of, signer_of
    from gateway.store.people import addresses_of

    now, code = datetime.now(UTC), new_code()
    own = read(settings, lambda source: addresses_of(source, [person], now_us())).get(person, [])
    if octets is None:
        if not own:
            raise UnknownRecipient("This person has no address now.")
        octets = await look_up(parse_address(own[0]))
    checker = checker_of(settings)
    try:
        key = await checker.check(octets, own, now)
    finally:
        await checker.close()
    try:
        words = proof_words(key, code, settings.site.portal_url)
        proof = await asyncio.to_thread(proof_for, key, words, signer_of(settings, now), now)
    except ParcelFailed as problem:
        raise Unavailable(f"Nothing can be encrypted to this key here: {problem.reason.value}.") from None
    return {
        "kind": key.kind.value,
        "octets": in_pieces(key.octets),
        "fingerprint": key.fingerprint,
        "address": key.address,
        "expires_us": None if key.expires is None else to_microseconds(key.expires),
        "hashed_code": code_hash(code),
        "proof": in_pieces(proof),
    }


def _read(file: Path) -> bytes:
    from gateway.parcels.openpgp_key import MAX_FILE

    try:
        with file.open("rb") as stream:
            return stream.read(MAX_FILE + 1)
    except OSError as problem:
        raise Malformed(f"{file} cannot be read: {problem.strerror}.") from None
