"""What a listener puts up with: sizes, counts and times, and the count of connections.

The defaults are those of the mail servers that have stood on the Internet longest: 300 s for a command, soft and hard
error limits 10 and 20, 500 octets a second at least, 100 recipients, 50 connections from one address.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from ipaddress import IPv6Address, ip_address

from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.guesses import Guesses
from gateway.inbound.listener.tally import CONNECTIONS, OCTETS, Column, Tally

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Limits of one listener; sizes in octets, times in seconds. Raises ValueError unless every one is above zero."""

    message_octets: int = 150 * MEBIBYTE
    overrun_octets: int = 150 * MEBIBYTE
    """How much of a message over `message_octets` is still read so that its peer can hear why it is refused."""
    in_flight_octets: int = 4096 * MEBIBYTE
    """Of all messages that are being taken at once, by all connections that are counted together."""
    recipients: int = 100
    connections: int = 1000
    connections_per_address: int = 50
    command_octets: int = 2048
    """One command with its CRLF: the 512 of RFC 5321 section 4.5.3.1.4 and what the extensions add to MAIL and RCPT."""
    auth_octets: int = 12288
    """One line of an AUTH exchange (RFC 4954 section 4)."""
    overlong_octets: int = 256 * 1024
    """How much of a command that is too long is read in search of its end."""
    inbox_octets: int = 128 * 1024
    """How much is held unread before the peer is no longer read."""
    soft_errors: int = 10
    hard_errors: int = 20
    error_delay_seconds: float = 1.0
    auth_failures: int = 5
    guess_seconds: float = 1.0
    """How long an address waits after each wrong password, see `gateway.inbound.listener.guesses`."""
    junk_commands: int = 100
    """NOOP, RSET, HELP, VRFY, EHLO and HELO without a message between; each one more is an error."""
    command_seconds: float = 300.0
    stress_command_seconds: float = 10.0
    """In place of `command_seconds` while the listener is under stress, see `Occupancy`."""
    chunk_seconds: float = 180.0
    data_grace_seconds: float = 300.0
    """Waiting allowed to a whole message beside what `data_octets_per_second` gives it."""
    data_octets_per_second: int = 500
    write_seconds: float = 120.0
    """How long a peer may leave our replies unread."""
    handshake_seconds: float = 30.0
    proxy_seconds: float = 5.0
    """How long a proxy may take to say for whom it connects: it does so in its first packet."""
    linger_seconds: float = 5.0
    """How long a closed connection may take to fetch the last reply."""

    def __post_init__(self) -> None:
        wrong = [item.name for item in fields(self) if getattr(self, item.name) <= 0]
        if wrong:
            raise ValueError(f"limits must be above zero: {', '.join(wrong)}")


STRESS_SHARE = 0.8
RESERVED_SHARE = 0.1


class Occupancy:
    """Who is connected: a count in all, and one for each address (for each /64 where the address is of IPv6).

    Listeners of one program share it, and its processes by a column each of one tally: what they count together is
    what is held against the limits. `octets` are those of the messages that are being taken.
    """

    def __init__(self, limits: DoorLimits, column: Column | None = None) -> None:
        self.limits = limits
        self._column = column or Tally(1, limits.connections).column(0)
        self._by_address: Counter[str] = Counter()
        self._guesses = Guesses(limits.guess_seconds)

    @property
    def total(self) -> int:
        """How many are connected."""
        return self._column.sum(CONNECTIONS)

    @property
    def octets(self) -> int:
        """How much of messages that are being taken is here."""
        return self._column.sum(OCTETS)

    def enter(self, address: str, *, is_vouched: bool = False) -> SmtpReply | None:
        """Count one connection in. Returns the reply that turns it away, in which case it is not counted.

        The site's own hosts and users (`is_vouched`) have places that no crowd of strangers can take.
        """
        place = _network_of(address)
        places = self.limits.connections
        if self.total >= places + (int(places * RESERVED_SHARE) if is_vouched else 0):
            return replies.TOO_MANY_CONNECTIONS
        if address and self._here_and_elsewhere(place) >= self.limits.connections_per_address:
            return replies.TOO_MANY_FROM_YOU
        self._by_address[place] += 1
        self._column.add(CONNECTIONS, 1)
        self._column.count_name(place, 1)
        return None

    def guess(self, address: str, now: float) -> float:
        """Count a wrong password from an address; return how long its answer waits, in seconds."""
        return self._guesses.fail(_network_of(address), now)

    def pause(self, address: str, now: float) -> float:
        """Return how long a connection from an address waits for its greeting: others guess there."""
        return self._guesses.wait(_network_of(address), now)

    @property
    def is_stressed(self) -> bool:
        """True while so many are connected that those who say nothing have to make room."""
        return self.total >= self.limits.connections * STRESS_SHARE

    def has_room(self, octets: int) -> bool:
        """Tell whether so many octets more can be taken now."""
        return self.octets + octets <= self.limits.in_flight_octets

    def hold(self, octets: int) -> None:
        """Count octets of a message that is being taken."""
        self._column.add(OCTETS, octets)

    def release(self, octets: int) -> None:
        """Count out octets that `hold` counted in."""
        self._column.add(OCTETS, -octets)

    def leave(self, address: str) -> None:
        """Count out one connection that `enter` counted in."""
        place = _network_of(address)
        self._column.count_name(place, -1)
        self._column.add(CONNECTIONS, -1)
        self._by_address[place] -= 1
        if not self._by_address[place]:
            del self._by_address[place]

    def _here_and_elsewhere(self, place: str) -> int:
        return self._by_address[place] + self._column.elsewhere(place)


def _network_of(address: str) -> str:
    if ":" not in address:
        return address
    parsed = ip_address(address.partition("%")[0])
    assert isinstance(parsed, IPv6Address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.exploded[:19]
