"""From the limits that a site sets to those of its listeners."""

from __future__ import annotations

from typing import Final

from gateway.config import SubmissionLimits
from gateway.inbound.listener import DoorLimits

OTHER_DESCRIPTORS: Final = 256
"""Beside those of connections: the store, other programs, the log."""


def limits_of(limits: SubmissionLimits, message_octets: int) -> DoorLimits:
    """Return the limits of a door that takes messages up to so many octets; all others keep their defaults."""
    return DoorLimits(
        message_octets=message_octets,
        overrun_octets=message_octets,
        in_flight_octets=limits.in_flight_octets,
        recipients=limits.recipients,
        connections=limits.connections,
        connections_per_address=limits.connections_per_address,
        soft_errors=limits.soft_errors,
        hard_errors=limits.hard_errors,
        auth_failures=limits.auth_failures,
        command_seconds=limits.command_seconds,
        stress_command_seconds=limits.stress_command_seconds,
        chunk_seconds=limits.chunk_seconds,
        data_octets_per_second=limits.minimum_rate,
    )
