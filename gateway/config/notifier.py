"""The table [notifier]: how notifications leave, by the site's relay or directly to the hosts of each domain."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from gateway.config.doors import HOST, HOST_SHAPE
from gateway.config.reading import Table
from gateway.config.settings import (
    DirectSettings,
    DkimSettings,
    Listen,
    NotifierSettings,
    RelaySettings,
    RelayTls,
    SiteSettings,
    SmimeSettings,
)

_ADDRESS: Final = re.compile(r"[^\s@<>,;]{1,64}@[a-z0-9.-]{1,253}\Z")
_ALLOWED: Final = re.compile(r"[^\s@<>,;]{0,64}@[A-Za-z0-9.-]{1,253}\Z")
_RELAY: Final = re.compile(r"[A-Za-z0-9.:-]{1,253}\Z")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def read_notifier(table: Table, site: SiteSettings, keys: Path) -> NotifierSettings:
    """Read the table. `keys` is the folder of the site's keys."""
    first = table.time("first_retry", "30 s", 1)
    longest = table.time("longest_retry", "1 h", 1)
    if first > longest:
        table.complain("first_retry", "is longer than longest_retry.", "Make it shorter, or the other longer.")
    direct = table.table("direct", _direct) if table.has("direct") else None
    sender = table.text("sender", f"secure-messaging@{site.domain}", _ADDRESS, "one bare address: name@domain")
    return NotifierSettings(
        relay=_relay(table, site, direct),
        direct=direct,
        hostname=table.text("hostname", site.domain, HOST, HOST_SHAPE),
        sender=sender,
        allow_list=table.texts("allow_list", (), _ALLOWED, '"name@example.org" or "@example.org"'),
        templates=table.maybe_path("templates"),
        smime=table.table("smime", _smime) if table.has("smime") else None,
        dkim=table.table("dkim", lambda inner: _dkim(inner, sender.rpartition("@")[2], keys)),
        first_retry_seconds=first,
        longest_retry_seconds=longest,
        give_up_seconds=table.time("give_up", "24 h", 60),
        connections=table.whole("connections", 4, 1, 100),
        late_after_seconds=table.time("late_after", "4 h", 60),
        merge_at_most_seconds=table.time("merge_at_most", "1 h", 0),
    )


def _relay(table: Table, site: SiteSettings, direct: DirectSettings | None) -> RelaySettings | None:
    named = table.has("relay")
    if not named and direct is None and not site.is_trial:
        do = 'In production notifications need a way out: relay = "host", or a table [notifier.direct].'
        table.complain("relay", "is missing.", do)
    if named and direct is not None:
        table.complain("relay", "is named, and [notifier.direct] goes without.", "Leave one of them out.")
    host = table.text("relay", "localhost", _RELAY, "the host name or address of a mail relay")
    tls = RelayTls(table.choice("tls", RelayTls.STARTTLS, list(RelayTls)))
    if tls is RelayTls.NONE and host not in _LOOPBACK:
        table.complain("tls", f'is "none", and {host} is another machine.', 'Use "starttls" or "implicit".')
    relay = RelaySettings(
        host=host,
        port=table.whole("port", 465 if tls is RelayTls.IMPLICIT else 587, 1, 65535),
        tls=tls,
        ca_file=table.maybe_path("ca_file"),
        credentials_file=table.maybe_path("credentials_file"),
    )
    if tls is RelayTls.NONE and relay.credentials_file:
        table.complain("credentials_file", "is set, and no TLS protects it.", 'Use tls = "starttls" or "implicit".')
    return relay if named else None


def _direct(table: Table) -> DirectSettings:
    nameservers = table.listens("nameservers", ())
    dnssec = table.flag("dnssec", default=False)
    if dnssec and not (nameservers and all(_is_loopback(place) for place in nameservers)):
        what = "is on, and what a name server on another machine says of signatures could be anybody's."
        table.complain("dnssec", what, 'Run a validating resolver on this machine: nameservers = ["127.0.0.1:53"].')
    networks = table.networks("private_networks")
    rules = {name: table.texts(name, (), HOST, HOST_SHAPE) for name in ("verified", "dane", "plain")}
    if rules["dane"] and not dnssec:
        table.complain("dane", "needs DNSSEC.", "Name a validating resolver and write dnssec = true.")
    if rules["plain"] and not networks:
        what = "lets mail go unencrypted, which is for the site's own networks alone."
        table.complain("plain", what, 'Name them: private_networks = ["10.0.0.0/24"]. Elsewhere leave it out.')
    if len({domain for domains in rules.values() for domain in domains}) < sum(map(len, rules.values())):
        table.complain("verified", "dane and plain name a domain twice.", "One rule for each domain.")
    return DirectSettings(
        port=table.whole("port", 25, 1, 65535),
        policy_port=table.whole("policy_port", 443, 1, 65535),
        nameservers=tuple((place.host, place.port) for place in nameservers),
        dnssec=dnssec,
        private_networks=networks,
        ca_file=table.maybe_path("ca_file"),
        verified=rules["verified"],
        dane=rules["dane"],
        plain=rules["plain"],
        tls_reports=table.flag("tls_reports", default=True),
    )


def _is_loopback(place: Listen) -> bool:
    try:
        return ip_address(place.host).is_loopback
    except ValueError:
        return False


def _dkim(table: Table, author: str, keys: Path) -> DkimSettings:
    domain = table.text("domain", author, HOST, HOST_SHAPE)
    if not (_is_below(author, domain) or _is_below(domain, author)):
        what = f"is {domain}, and notifications come from {author}: receivers do not take one for the other (DMARC)."
        table.complain("domain", what, "Sign for the sender's domain, or one above or below it.")
    return DkimSettings(
        domain=domain,
        folder=table.path("folder", keys / "dkim"),
        keep_seconds=table.time("keep", "14 d", 24 * 3600),
    )


def _smime(table: Table) -> SmimeSettings:
    return SmimeSettings(certificate=table.path("certificate", None), key=table.path("key", None))


def _is_below(name: str, domain: str) -> bool:
    return f".{name}".endswith(f".{domain}")
