"""The demo's site: keys, certificate, database, `gateway.toml`, as `gateway init` makes them, on loopback ports."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.cli.init import CONFIG_NAME, AlreadyThere, make_site
from gateway.config import load
from gateway.store.backup import write_durably

HOST = "127.0.0.1"
DOMAIN = "secure.agency.example"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens, all on loopback."""

    page: int
    portal: int
    starttls: int
    tls: int
    mail: int
    provider: int
    fax: int

    @classmethod
    def above(cls, base: int) -> Ports:
        """Return the ports that stand at fixed distances above `base`."""
        return cls(base + 40, base + 43, base + 87, base + 65, base + 25, base + 44, base + 26)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the site is: its name, the programme it runs (a name or a folder, its key, its series), further tables; and
    whether a fax server brings its faxes.
    """

    name: str = "Agency for Invented Taxes"
    programme: str = "cwa"
    key: str = "cwa"
    series: str = "SM"
    more: str = ""
    fax: bool = False


def settings_text(ports: Ports, plan: Plan, provider: str = "") -> str:
    """Return the demo's `gateway.toml`; `provider` is the table of an identity provider."""
    named = {"name": plan.name, "programme": plan.programme, "more": plan.more, "provider_table": provider}
    named["fax_table"] = _FAX.format(host=HOST, port=ports.fax) if plan.fax else ""
    return _TOML.format(host=HOST, domain=DOMAIN, **asdict(ports), **named)


def found_site(folder: Path, ports: Ports, plan: Plan) -> None:
    """Make the site in `folder`, or what is missing of it, on these ports.

    Raises GatewayError when the folder cannot be used.
    """
    text, file = settings_text(ports, plan), folder / CONFIG_NAME
    if file.exists() and load(file).portal.listen[0].port != ports.portal:
        write_durably(file, text.encode("utf-8"))
    with suppress(AlreadyThere):
        make_site(folder, text)


def settle_provider(folder: Path, ports: Ports, plan: Plan, key: str, issuer: str, table: str) -> None:
    """Let the site's configuration name the demo's identity provider as it is now; an empty issuer: none."""
    file = folder / CONFIG_NAME
    known = [one.issuer for one in load(file).authenticator.providers if one.key == key]
    if known != ([issuer] if issuer else []):
        write_durably(file, settings_text(ports, plan, table).encode("utf-8"))


def require_free(ports: Ports) -> None:
    """Raise OSError naming the first port that another program holds."""
    for name, port in asdict(ports).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                raise OSError(
                    f"Port {port} ({name}) is taken by another program. Stop it, or choose others: --ports BASE."
                ) from None


_FAX = """\
[fax.servers.machine]
listen = ["{host}:{port}"]
networks = ["{host}"]
silent_after = "30 d"

"""
_TOML = """\
# A demo with invented people, on this machine's loopback. Delete the folder to be rid of it.
[site]
name = "{name}"
domain = "{domain}"
portal_url = "https://localhost:{portal}/"
environment = "demo"
employee_domains = ["agency.example"]

[programmes]
use = ["{programme}"]

[submission]
starttls = ["{host}:{starttls}"]
tls = ["{host}:{tls}"]
hostname = "localhost"

[portal]
listen = ["{host}:{portal}"]

[notifier]
relay = "localhost"
port = {mail}
tls = "starttls"
ca_file = "tls/certificate.pem"
allow_list = ["@agency.example", "@tour-agency.example", "@counsel.example"]
first_retry = "1 s"
merge_at_most = "0 s"  # each notice for itself, so that the story can look for it

{fax_table}{provider_table}[log]
level = "debug"
format = "json"
{more}"""
