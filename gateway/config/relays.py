"""The tables [relay.NAME]: mail systems that vouch for their senders, and every proof that each has to give."""

from __future__ import annotations

import re
from typing import Final

from gateway.config.doors import HOST, HOST_SHAPE
from gateway.config.organisation import OrganisationSettings
from gateway.config.reading import Table
from gateway.config.settings import TrustedRelaySettings

OWN_MTA: Final = "own-mta"
EXCHANGE_ONLINE: Final = "exchange-online"

EXAMPLE: Final = """\
# A mail system of the site's own that vouches for its senders; "mta" is a name of your choice. Its hosts are known by
# their networks and by a client certificate: client_ca has it, or the authority that vouches for client_names.
# [relay.mta]
# kind = "own-mta"
# authenticates_senders = true
# starttls = ["0.0.0.0:2525"]
# tls = []
# networks = ["10.0.0.0/28"]
# client_ca = "tls/mta.pem"
# client_names = []
# proxies = []
# xclient = []
#
# Exchange Online: its certificate proves the host alone, so each message proves its organisation, too.
# [relay.cloud]
# kind = "exchange-online"
# authenticates_senders = true
# starttls = ["0.0.0.0:25"]
# networks = ["10.0.0.0/28"]
# client_ca = "tls/authorities.pem"
# client_names = ["mail.protection.outlook.com"]
# tenants = ["00000000-0000-4000-8000-000000000000"]
# originator_orgs = ["agency.example.gov"]
# proof = "dkim"
# secret_file = ""
# nameservers = []
"""
"""What a new configuration shows of them."""

_OLD_KEY: Final = "relays"
_TENANT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def read_relay(table: Table, name: str) -> TrustedRelaySettings:
    """Read one relay; complain of each proof that is missing."""
    kind = table.text("kind")
    if kind not in ("", OWN_MTA, EXCHANGE_ONLINE):
        table.complain("kind", "is not known.", f'Give "{OWN_MTA}" or "{EXCHANGE_ONLINE}".')
    if name == "lmtp":
        table.complain("", "is how the LMTP socket is called.", "Choose another name.")
    if not table.flag("authenticates_senders", default=False):
        do = "Make it let each sender write from addresses of their own alone, then write authenticates_senders = true."
        table.complain("authenticates_senders", "is not stated: who the author is rests on it.", do)
    starttls, implicit = table.listens("starttls", ()), table.listens("tls", ())
    if not starttls and not implicit:
        table.complain("starttls", "and tls are both empty.", "Give at least one address to listen on.")
    if not (networks := table.networks("networks")):
        table.complain("networks", "has no network.", "Say where the relay's hosts connect from: both proofs count.")
    return TrustedRelaySettings(
        name=name,
        starttls=starttls,
        tls=implicit,
        networks=networks,
        client_ca=table.path("client_ca", None),
        client_names=_client_names(table, kind),
        proxies=table.networks("proxies"),
        xclient=table.networks("xclient"),
        organisation=_organisation(table) if kind == EXCHANGE_ONLINE else None,
    )


def refuse_old_place(table: Table) -> None:
    """Complain where relays stand in [submission], as they once did."""
    do = "Write each as [relay.NAME], and add the line: authenticates_senders = true"
    table.refuse(_OLD_KEY, "has moved to tables of its own.", do)


def _client_names(table: Table, kind: str) -> tuple[str, ...]:
    names = table.texts("client_names", (), HOST, HOST_SHAPE)
    if kind == EXCHANGE_ONLINE and not names:
        do = 'Name what the service\'s certificates are for: client_names = ["mail.protection.outlook.com"].'
        table.complain("client_names", "names nobody.", do)
    return names


def _organisation(table: Table) -> OrganisationSettings:
    """Read what proves the organisation. The certificate of such a service proves the host, and nothing of a sender."""
    tenants = table.texts(
        "tenants", (), _TENANT, 'a tenant\'s id in lower case: "00000000-0000-4000-8000-000000000000"'
    )
    if not tenants:
        do = 'Give the id of your own: tenants = ["…"]. Every tenant of the service shows the same certificate.'
        table.complain("tenants", "names nobody.", do)
    domains = table.texts("originator_orgs", (), HOST, HOST_SHAPE)
    if not domains:
        do = 'Give what X-OriginatorOrg says of your tenant: originator_orgs = ["agency.example.gov"].'
        table.complain("originator_orgs", "names nobody.", do)
    proof = table.choice("proof", "dkim", ("dkim", "secret"))
    secret_file = table.maybe_path("secret_file")
    if (proof == "secret") != (secret_file is not None):
        do = 'With proof = "secret" name secret_file, a file of that secret; with "dkim" leave it out.'
        table.complain("secret_file", f'and proof = "{proof}" do not fit.', do)
    return OrganisationSettings(
        tenants=frozenset(tenants),
        originator_orgs=frozenset(domains),
        secret_file=secret_file,
        nameservers=tuple((place.host, place.port) for place in table.listens("nameservers", ())),
    )
