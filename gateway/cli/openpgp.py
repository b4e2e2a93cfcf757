"""`gateway openpgp`: the gateway's own OpenPGP key, which signs full copies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import say, show_json
from gateway.config import Settings
from gateway.domain.errors import UnknownRecipient

if TYPE_CHECKING:
    from gateway.mime.openpgp_signing import OpenPgpKey

app = typer.Typer(
    no_args_is_help=True, help="The gateway's own OpenPGP key: it signs full copies, and decrypts nothing."
)


@app.command()
def make(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Make the key. The portal signs with it, and publishes it, once it is started anew."""
    from gateway.parcels.own_key import make_own_key
    from gateway.parcels.site import user_id_of

    settings = settings_of(config)
    made = make_own_key(settings.full_copies.keys.openpgp, user_id_of(settings), datetime.now(UTC))
    _tell(settings, made, as_json=as_json)


@app.command()
def rotate(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Make a new key that signs from the portal's next start on. The one before stays published, and signs no more."""
    from gateway.parcels.own_key import rotate_own_key
    from gateway.parcels.site import user_id_of

    settings = settings_of(config)
    made = rotate_own_key(settings.full_copies.keys.openpgp, user_id_of(settings), datetime.now(UTC))
    _tell(settings, made, as_json=as_json)


@app.command()
def show(
    public: Annotated[bool, typer.Option("--public", help="The public key alone, in lines of text.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show the key that signs, and where others look it up."""
    from gateway.mime.openpgp_signing import armour
    from gateway.parcels.own_key import load_own_key
    from gateway.parcels.site import user_id_of

    settings = settings_of(config)
    own = load_own_key(settings.full_copies.keys.openpgp, user_id_of(settings))
    if own is None:
        raise UnknownRecipient("There is no key. Make one: gateway openpgp make")
    if public:
        say(armour("PUBLIC KEY BLOCK", own.certificate).rstrip())
    else:
        _tell(settings, own, as_json=as_json)


def _tell(settings: Settings, key: OpenPgpKey, *, as_json: bool) -> None:
    facts = _facts(settings, key)
    if as_json:
        show_json(facts)
        return
    say(f"{facts['user_id']}")
    say(f"fingerprint: {facts['fingerprint']}")
    say(f"made: {facts['made']}")
    say("It is looked up at one of these; let the name lead to the portal, with a certificate for it:")
    for place in facts["places"]:
        say(f"  {place}")


def _facts(settings: Settings, key: OpenPgpKey) -> dict[str, Any]:
    from gateway.domain.address import parse_address
    from gateway.domain.wkd import places_of

    places = places_of(parse_address(settings.notifier.sender))
    return {
        "user_id": key.user_id,
        "fingerprint": key.fingerprint,
        "made": key.created.isoformat(timespec="seconds"),
        "places": [f"https://{host}{path}" for host, path in places],
    }
