"""The settings as values. Paths are absolute, sizes are octets, times are seconds; a secret is only ever a path."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from gateway.config.fax import FaxSettings
from gateway.config.full_copies import FullCopySettings
from gateway.config.guard import GuardSettings
from gateway.config.log import LogSettings
from gateway.config.organisation import OrganisationSettings
from gateway.config.security import SecuritySettings
from gateway.config.sign_in import CodeSettings, ProviderSettings, ToolSignIn
from gateway.domain.intake import OVERDUE_US
from gateway.domain.mta_sts import PolicyMode, policy_text
from gateway.domain.notice import PRODUCTION
from gateway.domain.verdict import Kind

PROGRAMS = ("keyholder", "authenticator", "submission", "mx", "fax", "guard", "notifier", "portal")
"""Every program, in the order in which they are started; they are stopped in the opposite one."""

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a program listens. Port 0 lets the system choose; IPv6 hosts are without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Who runs this gateway, under which names, and where it keeps what it makes."""

    name: str
    domain: str
    portal_url: str
    environment: str
    employee_domains: tuple[str, ...]
    data: Path
    run: Path

    @property
    def is_trial(self) -> bool:
        """True outside production: banners, references with `T-`, mail to the allow-list only."""
        return self.environment != PRODUCTION


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The database and the blobs. `reserve_octets` of disk stay free."""

    url: str
    blobs: Path
    reserve_octets: int
    readers: int


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Where keys lie, and the file whose octets protect them (None: the machine's own protection is all there is)."""

    folder: Path
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True)
class KeyholderSettings:
    """Sockets, its own store, operators (user ids, beside root and its own user), and how fast it opens keys."""

    socket: Path
    operator_socket: Path
    guard_socket: Path
    store_url: str
    operators: tuple[int, ...]
    session_per_minute: int
    person_per_day: int


@dataclass(frozen=True, slots=True)
class AuthenticatorSettings:
    """Sockets, operators (user ids, beside root and its own user), whether a password needs a code beside it; identity
    providers in the order in which people are shown them; what sends codes to telephones.
    """

    socket: Path
    operator_socket: Path
    operators: tuple[int, ...]
    second_factor: bool
    providers: tuple[ProviderSettings, ...]
    codes: CodeSettings


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """What a mail door bears from one and from all. Times are seconds, rates octets a second."""

    connections: int
    connections_per_address: int
    in_flight_octets: int
    recipients: int
    soft_errors: int
    hard_errors: int
    auth_failures: int
    command_seconds: int
    stress_command_seconds: int
    chunk_seconds: int
    minimum_rate: int


@dataclass(frozen=True, slots=True)
class TrustedRelaySettings:
    """A host of the site's own mail system: where it is listened to, and by what it is known.

    `client_ca` has its certificate, or its authority's; then `client_names` are the names vouched for. `proxies` and
    `xclient` are networks whose word on the client's address is taken. `organisation` is how each message proves whose
    it is, where the host serves others, too; None for a mail system of the site's own.
    """

    name: str
    starttls: tuple[Listen, ...]
    tls: tuple[Listen, ...]
    networks: Networks
    client_ca: Path
    client_names: tuple[str, ...]
    proxies: Networks
    xclient: Networks
    organisation: OrganisationSettings | None = None


@dataclass(frozen=True, slots=True)
class SubmissionSettings:
    """The employees' mail door: STARTTLS and implicit TLS listeners, the greeting's name, limits, trusted relays, and
    by what mail tools sign in.

    A number of `processes` that is 0 follows the cores. With `names_required` a person is an author, a team is none.
    """

    hostname: str
    processes: int
    starttls: tuple[Listen, ...]
    tls: tuple[Listen, ...]
    lmtp: Path | None
    lmtp_users: tuple[int, ...]
    certificate: Path
    key: Path
    max_message_octets: int
    proxies: Networks
    xclient: Networks
    limits: SubmissionLimits
    relays: tuple[TrustedRelaySettings, ...]
    sign_in: ToolSignIn
    names_required: bool = False
    release_delay_minutes: int = 0
    draft_days: int = 14


class Position(StrEnum):
    """Where the public door stands in the site's way of mail."""

    FIRST_HOP = "first-hop"
    BEFORE_QUEUE = "before-queue"
    BEHIND_RELAY = "behind-relay"


class Clean(StrEnum):
    """What becomes of clean mail that people wrote: into the intake tray, or refused with the portal's address."""

    TRAY = "tray"
    REFUSE = "refuse"


class Tainted(StrEnum):
    """What becomes of mail from outside that may not be taken."""

    REFUSE = "refuse"
    DISCARD = "discard-and-tell"


@dataclass(frozen=True, slots=True)
class MxSettings:
    """The public door. `xforward` are networks of hosts in front that may tell where a mail came from.

    `operators` are addresses of employees who are told of discarded mail. `authserv_ids` are names under which hosts in
    front tell who vouches for it; `nameservers` whom we ask else (host, port). `mta_sts_hosts` are those of the policy.
    """

    listen: tuple[Listen, ...]
    position: Position
    tainted: Tainted
    operators: tuple[str, ...]
    clean: Clean
    hostname: str
    certificate: Path
    key: Path
    max_message_octets: int
    xforward: Networks
    authserv_ids: tuple[str, ...]
    nameservers: tuple[tuple[str, int], ...]
    mta_sts: PolicyMode
    mta_sts_hosts: tuple[str, ...]
    limits: SubmissionLimits

    @property
    def policy(self) -> str:
        """The MTA-STS policy that the portal serves, "" for none."""
        return "" if self.mta_sts is PolicyMode.OFF else policy_text(self.mta_sts, self.mta_sts_hosts)


class RelayTls(StrEnum):
    """How mail reaches the relay. NONE is for a relay on this machine only."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The host that takes outgoing mail. `credentials_file` has a user name and a password, a line each."""

    host: str
    port: int
    tls: RelayTls
    ca_file: Path | None
    credentials_file: Path | None


@dataclass(frozen=True, slots=True)
class DirectSettings:
    """Delivery to the hosts of each domain. `nameservers` (host, port; empty: the machine's) validate with `dnssec`.

    Only addresses of the public Internet and of `private_networks` are connected to. Domains in `verified` and `dane`
    get mail by such TLS alone, those in `plain` without any, in private networks. `ca_file` replaces the system's
    authorities.
    """

    port: int
    policy_port: int
    nameservers: tuple[tuple[str, int], ...]
    dnssec: bool
    private_networks: Networks
    ca_file: Path | None
    verified: tuple[str, ...]
    dane: tuple[str, ...]
    plain: tuple[str, ...]
    tls_reports: bool


@dataclass(frozen=True, slots=True)
class DkimSettings:
    """What signs outgoing mail: `folder` has the keys of `domain`. A retired one stays in DNS for `keep_seconds`."""

    domain: str
    folder: Path
    keep_seconds: int


@dataclass(frozen=True, slots=True)
class SmimeSettings:
    """What notifications are signed with beside DKIM: the sender's certificate, with those that vouch, and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class NotifierSettings:
    """Outgoing mail, by a relay or directly. Outside production only `allow_list` (`name@domain`, `@domain`) gets any.

    `templates` is a folder of the site's own wording.
    `connections` are those at once to one host or destination. Of a notice that waits for `late_after_seconds` the
    employees are told; none waits longer than `merge_at_most_seconds` for others, whatever a programme says.
    """

    relay: RelaySettings | None
    direct: DirectSettings | None
    hostname: str
    sender: str
    allow_list: tuple[str, ...]
    templates: Path | None
    dkim: DkimSettings
    smime: SmimeSettings | None
    first_retry_seconds: int
    longest_retry_seconds: int
    give_up_seconds: int
    connections: int
    late_after_seconds: int
    merge_at_most_seconds: int


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """The pages: where they are served, with which certificate, how much a reply may carry, whose signatures count, for
    how long a clerk's claim of what waits in the intake tray holds.
    """

    listen: tuple[Listen, ...]
    certificate: Path
    key: Path
    max_upload_octets: int
    smime_anchors: Path | None
    openpgp_home: Path | None
    claim_minutes: int


@dataclass(frozen=True, slots=True)
class ScreeningLimits:
    """What one mail may cost. Octets, pixels, pages, seconds of processor time; over a limit it is unscreenable."""

    depth: int
    parts: int
    members: int
    expanded: int
    expanded_one: int
    ratio: int
    ratio_after: int
    pixels: int
    pages: int
    ocr_pages: int
    seconds: int


@dataclass(frozen=True, slots=True)
class ScreeningSettings:
    """Kinds to search for (None: those of the programmes) less `never`, numbers that are public, limits, children.

    Mail of `allowed_senders` that is proven to be theirs may hold `allowed_kinds`.
    `threshold` is the score from which a candidate is a finding. A number of children that is 0 follows the cores.
    """

    kinds: frozenset[Kind] | None
    never: frozenset[Kind]
    threshold: float
    public_numbers: tuple[str, ...]
    allowed_senders: tuple[str, ...]
    allowed_kinds: frozenset[Kind]
    text_children: int
    page_children: int
    limits: ScreeningLimits


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The certificate that programs use unless their own table names another."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file. `programmes` are folders; `file` is where all this was read."""

    file: Path
    site: SiteSettings
    programmes: tuple[Path, ...]
    store: StoreSettings
    keys: KeySettings
    security: SecuritySettings
    keyholder: KeyholderSettings
    authenticator: AuthenticatorSettings
    submission: SubmissionSettings
    mx: MxSettings | None
    fax: FaxSettings | None
    guard: GuardSettings | None
    notifier: NotifierSettings
    portal: PortalSettings
    full_copies: FullCopySettings
    screening: ScreeningSettings
    tls: TlsSettings
    log: LogSettings

    @property
    def overdue_us(self) -> int:
        """For how long something may wait in the intake tray, in microseconds."""
        return self.fax.overdue_after_seconds * 1_000_000 if self.fax else OVERDUE_US

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that this site runs: `mx`, `fax` and `guard` only with a table of theirs."""
        own = {"mx": self.mx, "fax": self.fax, "guard": self.guard}
        absent = {name for name, table in own.items() if table is None}
        return tuple(name for name in PROGRAMS if name not in absent)
