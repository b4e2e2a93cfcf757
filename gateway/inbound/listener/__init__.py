"""The hardened SMTP listener: the wire, its commands, its limits, and the seam to the program behind it."""

from __future__ import annotations

from gateway.inbound.listener.hosts import Networks, TrustedHosts
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.server import Listener, open_listener, open_lmtp_listener

__all__ = [
    "DoorLimits",
    "Listener",
    "Networks",
    "Occupancy",
    "TrustedHosts",
    "open_listener",
    "open_lmtp_listener",
]
