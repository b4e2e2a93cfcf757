"""What a site says of outgoing mail: the relay that takes it, the keys that sign it, the notifier that has both."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.clock import system_clock
from gateway.config import DirectSettings, RelaySettings, Settings, require_private
from gateway.domain import guard
from gateway.domain.address import parse_address
from gateway.domain.errors import ConfigError
from gateway.domain.return_path import ReturnPaths
from gateway.domain.sunset import Sunsets
from gateway.outbound.backoff import Schedule
from gateway.outbound.bounces import Bounces
from gateway.outbound.courier import AllowList, Courier, Way
from gateway.outbound.direct import DirectWay
from gateway.outbound.dkim_keys import KeyFolder, LiveSigners
from gateway.outbound.fax_report import Reporting
from gateway.outbound.fax_reports import FaxReporter
from gateway.outbound.hosts import HostFinder
from gateway.outbound.making import Maker, Making, Workshop
from gateway.outbound.names import Names
from gateway.outbound.notification import Renderer
from gateway.outbound.notifier import Notifier, NotifierKeys, NotifierSite
from gateway.outbound.relay import Relay, RelayWay
from gateway.outbound.standing import Standings
from gateway.outbound.tls_policy import Rule, TlsContexts
from gateway.outbound.tls_report import Reporter
from gateway.outbound.tls_reports import ByHttps, ByMail, TlsReporter, Uncounted
from gateway.outbound.wording import templates_of
from gateway.parcels.smime_signing import mail_signer_of
from gateway.programmes import load_programmes
from gateway.store import keyfiles
from gateway.store.database import Database
from gateway.store.fax_reports import report_key


def maker_of(settings: Settings) -> Maker | None:
    """Return what makes notifications, None without a way for them. Raises ConfigError where a file does not fit."""
    own = settings.notifier
    programmes, sender = load_programmes(settings.programmes), parse_address(own.sender)
    renderer = Renderer(templates_of(settings, programmes), sender, mail_signer_of(settings, sender, system_clock()))
    maker = Maker(programmes, renderer, signers_of(settings))
    return None if own.direct is None and own.relay is None else maker


def notifier_of(settings: Settings, database: Database, workshop: Workshop) -> Notifier | None:
    """Return the notifier, whose mails are made in `workshop`; None without a way for them.

    Raises ConfigError where a file does not fit.
    """
    own, site, keys = settings.notifier, settings.site, settings.keys.folder
    programmes = {
        key: replace(programme, timing=programme.timing.at_most(own.merge_at_most_seconds))
        for key, programme in load_programmes(settings.programmes).items()
    }
    courier = courier_of(settings, database)
    if courier is None:
        return None
    return Notifier(
        database,
        programmes,
        Making(workshop),
        courier,
        NotifierSite(
            site.portal_url,
            site.domain,
            site.environment,
            site.run,
            Sunsets(settings.security.sunsets),
            settings.overdue_us,
            own.hostname,
            frozenset(settings.full_copies.programmes),
            settings.guard.overdue_after_seconds * 1_000_000 if settings.guard else guard.OVERDUE_US,
        ),
        NotifierKeys(keyfiles.authority_public(keys), keyfiles.address_key(keys), keyfiles.return_path_key(keys)),
        clock=system_clock,
        schedule=schedule_of(settings),
    )


def courier_of(settings: Settings, database: Database) -> Courier | None:
    """Return what carries mail, None where the site names no way. Raises ConfigError where a file does not fit."""
    own = settings.notifier
    way: Way
    if own.direct is not None:
        way = direct_way_of(settings, own.direct, database)
    elif own.relay is not None:
        way = RelayWay(relay_of(settings, own.relay))
    else:
        return None
    allow_list = AllowList.of(own.allow_list) if settings.site.is_trial else None
    return Courier(way, allow_list, clock=system_clock, schedule=schedule_of(settings))


def schedule_of(settings: Settings) -> Schedule:
    """Return when to try again, a notice or a place."""
    own = settings.notifier
    return Schedule(
        first=timedelta(seconds=own.first_retry_seconds),
        ceiling=timedelta(seconds=own.longest_retry_seconds),
        give_up=timedelta(seconds=own.give_up_seconds),
    )


def direct_way_of(settings: Settings, direct: DirectSettings, database: Database) -> DirectWay:
    """Return the way to the hosts of each domain. Raises ConfigError for a CA file that is none."""
    own = settings.notifier
    mx = {settings.mx.hostname} if settings.mx is not None else set()
    names = Names(direct.nameservers, validates=direct.dnssec)
    own_names = frozenset({own.hostname, settings.site.domain, *mx})
    hosts = HostFinder(names, own_names, direct.private_networks, direct.port)
    tls = TlsContexts(direct.ca_file)
    rules = {
        **dict.fromkeys(direct.verified, Rule.VERIFIED),
        **dict.fromkeys(direct.dane, Rule.DANE),
        **dict.fromkeys(direct.plain, Rule.PLAIN),
    }
    standings = Standings(database, names, hosts, rules, tls.verified, direct.policy_port, system_clock)
    return DirectWay(
        hosts, standings, tls, helo=own.hostname, port=direct.port, connections=own.connections, clock=system_clock
    )


def reporter_of(settings: Settings, database: Database) -> TlsReporter | None:
    """Return what sends TLS reports; None without direct delivery, whose TLS alone is known, or if the site wants none.

    Raises ConfigError where a file does not fit.
    """
    own, site, direct = settings.notifier, settings.site, settings.notifier.direct
    if direct is None or not direct.tls_reports:
        return None
    allow_list = AllowList.of(own.allow_list) if site.is_trial else None
    names = Names(direct.nameservers)
    hosts = HostFinder(names, frozenset(), direct.private_networks, direct.port)
    tls = TlsContexts(direct.ca_file)
    uncounted = Uncounted(database, names, hosts, {}, tls.verified, direct.policy_port, system_clock)
    way = DirectWay(hosts, uncounted, tls, helo=own.hostname, port=direct.port, connections=1, clock=system_clock)
    return TlsReporter(
        database,
        names,
        organisation_of(settings),
        {
            "mailto": ByMail(Courier(way, allow_list, clock=system_clock), signers_of(settings)),
            "https": ByHttps(hosts, allow_list, tls.verified, frozenset({443, direct.policy_port})),
        },
        clock=system_clock,
    )


def fax_reporter_of(settings: Settings, database: Database) -> FaxReporter | None:
    """Return what sends fax servers the reports they ask for; None where no address is listed, or there is no way.

    Raises ConfigError where a file does not fit.
    """
    fax = settings.fax
    listed = {one.name: one.reports_to for one in fax.servers if one.reports_to} if fax else {}
    courier = courier_of(settings, database) if listed else None
    if fax is None or courier is None:
        return None
    return FaxReporter(
        database=database,
        key=report_key(keyfiles.return_path_key(settings.keys.folder)),
        listed=listed,
        reporting=Reporting(parse_address(settings.notifier.sender), fax.hostname),
        courier=courier,
        signers=signers_of(settings),
        schedule=schedule_of(settings),
        clock=system_clock,
    )


def organisation_of(settings: Settings) -> Reporter:
    """Return as whom this site reports."""
    sender = parse_address(settings.notifier.sender)
    return Reporter(settings.site.name, sender.domain, sender, f"postmaster@{settings.site.domain}")


def bounces_of(settings: Settings, database: Database) -> Bounces:
    """Return what applies reports on returned notifications. Raises ConfigError where a file does not fit."""
    keys, site = settings.keys.folder, settings.site
    return Bounces(
        database,
        keyfiles.authority_public(keys),
        keyfiles.address_key(keys),
        ReturnPaths(site.domain, keyfiles.return_path_key(keys)),
        site.run,
        late_after=timedelta(seconds=settings.notifier.late_after_seconds),
        clock=system_clock,
    )


def signers_of(settings: Settings) -> LiveSigners:
    """Return the DKIM signers. Raises ConfigError where a key can be read by others, or is none."""
    return LiveSigners(KeyFolder(settings.notifier.dkim.folder, settings.notifier.dkim.domain))


def relay_of(settings: Settings, named: RelaySettings) -> Relay:
    """Return the relay, with its credentials. Raises ConfigError where their file can be read by others, or is none."""
    username = password = None
    if named.credentials_file is not None:
        require_private(settings, [named.credentials_file])
        lines = named.credentials_file.read_text("utf-8").splitlines()
        if len(lines) != 2:
            raise ConfigError(f"{named.credentials_file}: has a user name and a password, a line each.")
        username, password = lines
    return Relay(
        host=named.host,
        port=named.port,
        helo=settings.notifier.hostname,
        tls=named.tls,
        ca_file=named.ca_file,
        username=username,
        password=password,
        connections=settings.notifier.connections,
    )
