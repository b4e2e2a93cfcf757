"""Settings of the fax program: mailboxes that are watched, fax servers that bring mail, profiles of the site's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway.domain.fax_profile import Profile

if TYPE_CHECKING:
    from gateway.config.settings import Listen, Networks, SubmissionLimits


@dataclass(frozen=True, slots=True)
class FaxMailboxSettings:
    """A mailbox. `credentials_file` has the user and the password, or with `by_token` the token, a line each.

    `profile` is "" where each mail's is found out; `time_zone` None where it is that of the mail's date. After so many
    seconds of silence, or None for longer than usual, there is an alarm. The other times are seconds, too.
    """

    name: str
    host: str
    port: int
    ca_file: Path | None
    credentials_file: Path
    by_token: bool
    mailbox: str
    filed: str
    done: str
    profile: str
    time_zone: ZoneInfo | None
    idle_seconds: int
    poll_seconds: int
    deadline_seconds: int
    silent_after_seconds: int | None


@dataclass(frozen=True, slots=True)
class FaxServerSettings:
    """A fax server that brings its mail by SMTP, and by what it is known: its networks, and with `client_ca` a
    certificate beside them. At `reports_to` (`name@domain`, `@domain`) it gets reports that it asks for. The rest is as
    of a mailbox.
    """

    name: str
    listen: tuple[Listen, ...]
    networks: Networks
    client_ca: Path | None
    client_names: tuple[str, ...]
    profile: str
    time_zone: ZoneInfo | None
    silent_after_seconds: int | None
    reports_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaxSettings:
    """Where faxes come from, how long a mail may be, how long a fax may wait, where figures are told, if at all."""

    mailboxes: tuple[FaxMailboxSettings, ...]
    servers: tuple[FaxServerSettings, ...]
    profiles: tuple[Profile, ...]
    hostname: str
    certificate: Path
    key: Path
    max_message_octets: int
    limits: SubmissionLimits
    overdue_after_seconds: int
    metrics: Listen | None

    @property
    def sources(self) -> tuple[FaxMailboxSettings | FaxServerSettings, ...]:
        """All of them, in the order of the file: mailboxes, then servers."""
        return (*self.mailboxes, *self.servers)
