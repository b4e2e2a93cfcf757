"""`gateway queue tls` and `gateway queue forget-tls`: what is remembered of the TLS of domains that mail goes to."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.asking import read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_json, show_rows
from gateway.domain.errors import UnknownRecipient
from gateway.store.destinations import forget_verified, verified
from gateway.wake import notify

BY = "operator"


def tls(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the domains that once had verified TLS, and get nothing by less."""
    rows = [
        {
            "domain": row.domain,
            "policy": row.policy_type,
            "first": instant(row.first_us),
            "last": instant(row.last_us),
        }
        for row in read(settings_of(config), verified)
    ]
    columns = {"domain": "DOMAIN", "policy": "POLICY", "first": "FIRST", "last": "LAST"}
    show_rows(rows, columns, as_json=as_json, nothing="no domain had verified TLS")


def forget_tls(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="As gateway queue tls lists it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Forget that a domain once had verified TLS: from now on it gets mail by less, too."""
    settings = settings_of(config)
    if not write(settings, forget_verified, domain, BY):
        raise UnknownRecipient(f"Nothing is remembered of {domain}. See: gateway queue tls")
    notify(settings.site.run, "notifier")
    if as_json:
        show_json({"forgotten": domain})
    else:
        say("forgotten; a notifier that runs knows within five minutes. Waiting notices: gateway queue retry")
