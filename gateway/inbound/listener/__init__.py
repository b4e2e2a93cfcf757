"""The hardened SMTP listener: the wire, its commands, its limits, and the seam to the program behind it."""

from __future__ import annotations

from gateway.inbound.listener.hosts import Networks, TrustedHosts
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.server import Handed, Listener, bind_path, bind_port, open_listener, open_lmtp_listener

__all__ = [
    "DoorLimits",
    "Handed",
    "Listener",
    "Networks",
    "Occupancy",
    "TrustedHosts",
    "bind_path",
    "bind_port",
    "open_listener",
    "open_lmtp_listener",
]
