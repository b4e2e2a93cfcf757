"""The hardened SMTP listener: the wire, its commands, its limits, and the seam to the program behind it."""

from __future__ import annotations

from gateway.inbound.listener.hosts import Networks, TrustedHosts
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.sasl import Offer, token_wanted
from gateway.inbound.listener.server import Handed, Listener, bind_path, bind_port, open_listener, open_lmtp_listener
from gateway.inbound.listener.tls import ClientTls

__all__ = [
    "ClientTls",
    "DoorLimits",
    "Handed",
    "Listener",
    "Networks",
    "Occupancy",
    "Offer",
    "TrustedHosts",
    "bind_path",
    "bind_port",
    "open_listener",
    "open_lmtp_listener",
    "token_wanted",
]
