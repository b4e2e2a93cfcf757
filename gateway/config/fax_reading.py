"""The table [fax]: mailboxes, fax servers and profiles. Without a source there is no fax program."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.config.doors import HOST, HOST_SHAPE, read_certificate, read_limits
from gateway.config.fax import FaxMailboxSettings, FaxServerSettings, FaxSettings
from gateway.config.reading import Table
from gateway.config.settings import Listen, SiteSettings, TlsSettings
from gateway.domain.fax_profile import RULES, Profile, profile_of

BUILT_IN: Final = ("cisco", "t37", "hylafax", "efax", "rightfax", "ricoh", "generic")
"""Profiles that are there without a table; `gateway.mime.fax.profiles` has them."""

_HOST: Final = re.compile(r"[A-Za-z0-9.:-]{1,253}\Z")
_FOLDER: Final = re.compile(r"[\x20-\x7e]{1,200}\Z")
_RULE: Final = re.compile(r".+\Z")
_LISTED: Final = re.compile(r"[!-?A-~]{0,64}@[A-Za-z0-9.-]{1,253}\Z")
_LONGEST_IDLE: Final = 29 * 60  # RFC 2177 has a client begin anew before that


def read_fax_table(table: Table, site: SiteSettings, tls: TlsSettings) -> FaxSettings:
    """Read the table."""
    profiles = table.named("profiles", _profile)
    known = (*(one.name for one in profiles), *BUILT_IN)
    mailboxes = table.named("mailboxes", lambda inner, name: _mailbox(inner, name, known))
    servers = table.named("servers", lambda inner, name: _server(inner, name, known))
    if not mailboxes and not servers:
        do = "Name one: [fax.mailboxes.NAME] or [fax.servers.NAME]; or leave [fax] out."
        table.complain("mailboxes", "and servers are both empty.", do)
    if twice := {one.name for one in mailboxes} & {one.name for one in servers}:
        table.complain("servers", f"has a name that a mailbox has: {min(twice)}.", "Give each source its own.")
    certificate, key = read_certificate(table, tls)
    return FaxSettings(
        mailboxes=mailboxes,
        servers=servers,
        profiles=profiles,
        hostname=table.text("hostname", site.domain, HOST, HOST_SHAPE),
        certificate=certificate,
        key=key,
        max_message_octets=table.size("max_message", "50 MiB", 64 * 1024),
        limits=table.table("limits", lambda inner: read_limits(inner, "256 MiB")),
        overdue_after_seconds=table.time("overdue_after", "3 d", 60),
        metrics=_metrics(table),
    )


def _metrics(table: Table) -> Listen | None:
    places = table.listens("metrics", ())
    if len(places) > 1 or any(not _is_here(one.host) for one in places):
        table.complain("metrics", "is no place of this machine alone.", 'Give one: metrics = "127.0.0.1:9110".')
    return places[0] if places else None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _mailbox(table: Table, name: str, known: tuple[str, ...]) -> FaxMailboxSettings:
    idle = table.time("idle", "9 min", 1)
    if idle >= _LONGEST_IDLE:
        table.complain("idle", "is too long.", "Servers hang up after 30 minutes: give less than 29.")
    mailbox = table.text("mailbox", "INBOX", _FOLDER, "the name of a folder, in ASCII")
    filed = table.text("filed", "Filed", _FOLDER, "the name of a folder, in ASCII")
    if mailbox == filed:
        table.complain("filed", "is the mailbox itself.", "Name another folder, which is made if it is not there.")
    free = "Recognised" if "Done" in {mailbox, filed} else "Done"
    done = table.text("done", free, _FOLDER, "the name of a folder, in ASCII")
    if done in {mailbox, filed}:
        table.complain("done", "is the mailbox itself, or filed.", "Name a third folder, which is made like filed.")
    return FaxMailboxSettings(
        name=name,
        host=table.text("host", None, _HOST, "the host name or address of an IMAP server"),
        port=table.whole("port", 993, 1, 65535),
        ca_file=table.maybe_path("ca_file"),
        credentials_file=table.path("credentials_file", None),
        by_token=table.choice("auth", "password", ("password", "xoauth2")) == "xoauth2",
        mailbox=mailbox,
        filed=filed,
        done=done,
        profile=_of_profile(table, known),
        time_zone=_time_zone(table),
        idle_seconds=idle,
        poll_seconds=table.time("poll", "30 s", 1),
        deadline_seconds=table.time("deadline", "60 s", 1),
        silent_after_seconds=_silent_after(table),
    )


def _server(table: Table, name: str, known: tuple[str, ...]) -> FaxServerSettings:
    listen = table.listens("listen", (), "10.0.0.1:25")
    networks = table.networks("networks")
    if not networks:
        table.complain("networks", "has no network.", "Say where the fax server connects from.")
    client_ca = table.maybe_path("client_ca")
    names = table.texts("client_names", (), HOST, HOST_SHAPE)
    if names and client_ca is None:
        table.complain("client_names", "is of use only with client_ca.", "Name the file of certificates, or leave it.")
    return FaxServerSettings(
        name=name,
        listen=listen,
        networks=networks,
        client_ca=client_ca,
        client_names=names,
        profile=_of_profile(table, known),
        time_zone=_time_zone(table),
        silent_after_seconds=_silent_after(table),
        reports_to=table.texts("reports_to", (), _LISTED, 'an address or a domain: "fax@example.gov", "@example.gov"'),
    )


def _profile(table: Table, name: str) -> Profile:
    if name in BUILT_IN:
        table.complain("", "has the name of a profile that is there already.", "Choose another name.")
    rules = {one: table.texts(one, (), _RULE, '"PLACE: PATTERN"') for one in RULES}
    try:
        return profile_of(name, **rules)
    except ValueError as problem:
        table.complain("", "has a rule that cannot be read.", str(problem))
        return Profile(name)


def _of_profile(table: Table, known: tuple[str, ...]) -> str:
    return table.choice("profile", "", ("", *known))


def _time_zone(table: Table) -> ZoneInfo | None:
    name = table.text("time_zone", "")
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.complain("time_zone", "is not known here.", 'Give a name such as "America/New_York", or leave it out.')
        return None


def _silent_after(table: Table) -> int | None:
    return table.time("silent_after", "1 d", 60) if table.has("silent_after") else None
