"""The table [mx]: the public door, and where in the site's way of mail it stands. Without it there is none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.config.doors import ADDRESS, HOST, HOST_SHAPE, read_certificate, read_limits
from gateway.config.reading import Table
from gateway.config.settings import Clean, MxSettings, Position, SiteSettings, Tainted, TlsSettings
from gateway.domain.mta_sts import PolicyMode

CONSEQUENCES: Final[Mapping[Position, str]] = MappingProxyType(
    {
        Position.FIRST_HOP: "mx: first hop. The sender's own server keeps what is refused, and tells the sender why.",
        Position.BEFORE_QUEUE: (
            "mx: before the queue. The site's mail system must hand each mail on before it queues any of it, with "
            "smtpd_proxy_filter; if it queues first, promises break as behind a relay."
        ),
        Position.BEHIND_RELAY: (
            'mx: behind a relay. This breaks "touches no disk": what is refused has lain on that relay\'s disk, and '
            "its bounce carries it back in clear."
        ),
    }
)
"""What each position means for mail that is refused, as `gateway config check` says it."""

DISCARDS: Final = (
    'mx: behind a relay, discards. This breaks "touches no disk": what is discarded has lain on that relay\'s disk. '
    "Its sender is not told, and believes that it arrived. The operators are told, at most once an hour."
)
"""What stands in place of that where tainted mail is taken and discarded."""


def consequence(own: MxSettings) -> str:
    """Return what the door's position means for mail that is refused or discarded."""
    return DISCARDS if own.tainted is Tainted.DISCARD else CONSEQUENCES[own.position]


CLEAN_CONSEQUENCES: Final[Mapping[Clean, str]] = MappingProxyType(
    {
        Clean.TRAY: (
            "mx: clean mail is taken into the intake tray, unverified. Its sender believes that it is read: see that "
            "somebody looks each day (gateway intake list)."
        ),
        Clean.REFUSE: (
            "mx: clean mail of people is refused with the portal's address. Only postmaster and abuse are taken, into "
            "the operators' tray (gateway intake list)."
        ),
    }
)
"""What becomes of clean mail, as `gateway config check` says it."""


def read_mx(table: Table, site: SiteSettings, tls: TlsSettings) -> MxSettings:
    """Read the table."""
    certificate, key = read_certificate(table, tls)
    listen = table.listens("listen", ("0.0.0.0:25",), "0.0.0.0:25")
    position = _position(table)
    tainted, operators = _tainted(table, position)
    xforward = table.networks("xforward")
    if position is Position.BEFORE_QUEUE and not xforward:
        table.complain("xforward", "has no network.", "Say where the site's mail system connects from.")
    if position is Position.FIRST_HOP and xforward:
        table.complain("xforward", "names hosts in front, and a first hop has none.", "Leave it out.")
    authserv_ids = table.texts("authserv_ids", (), HOST, HOST_SHAPE)
    if position is Position.FIRST_HOP and authserv_ids:
        table.complain("authserv_ids", "names hosts in front, and a first hop has none.", "Leave it out.")
    hostname = table.text("hostname", site.domain, HOST, HOST_SHAPE)
    return MxSettings(
        listen=listen,
        position=position,
        tainted=tainted,
        operators=operators,
        clean=Clean(table.choice("clean", Clean.REFUSE, list(Clean))),
        hostname=hostname,
        certificate=certificate,
        key=key,
        max_message_octets=table.size("max_message", "25 MiB", 64 * 1024),
        xforward=xforward,
        authserv_ids=authserv_ids,
        nameservers=tuple((place.host, place.port) for place in table.listens("nameservers", ())),
        mta_sts=PolicyMode(table.choice("mta_sts", PolicyMode.OFF, list(PolicyMode))),
        mta_sts_hosts=table.texts("mta_sts_hosts", (hostname,), HOST, HOST_SHAPE),
        limits=table.table("limits", lambda inner: read_limits(inner, "256 MiB")),
    )


def _position(table: Table) -> Position:
    """Read the position, which has no default, and behind a relay what becomes of refused mail: nor has that one."""
    if table.has("position"):
        position = Position(table.choice("position", Position.FIRST_HOP, list(Position)))
    else:
        words = f"Say where the door stands: {', '.join(Position)}; docs/operations.md has each."
        table.complain("position", "is missing.", words)
        position = Position.FIRST_HOP
    return position


def _tainted(table: Table, position: Position) -> tuple[Tainted, tuple[str, ...]]:
    """Read what becomes of tainted mail and who is told, which behind a relay must be said."""
    do = (
        'Write tainted = "refuse", and the relay bounces it with its content; or "discard-and-tell", and its sender '
        "believes that it arrived."
    )
    if position is Position.BEHIND_RELAY and not table.has("tainted"):
        table.complain("tainted", "is missing: behind a relay a promise breaks, and you say which.", do)
    tainted = Tainted(table.choice("tainted", Tainted.REFUSE, list(Tainted)))
    operators = table.texts("operators", (), ADDRESS, 'an employee\'s address: "name@example.gov"')
    if tainted is Tainted.REFUSE:
        if operators:
            table.complain("operators", "is of use only where mail is discarded.", "Leave it out.")
        return tainted, ()
    if position is not Position.BEHIND_RELAY:
        what = "discards what its sender's own server would keep."
        table.complain("tainted", what, 'Write tainted = "refuse", or leave it out.')
    if not operators:
        do = 'Name employees of this gateway: operators = ["postmaster@example.gov"].'
        table.complain("operators", "names nobody, and somebody must be told.", do)
    return tainted, operators
