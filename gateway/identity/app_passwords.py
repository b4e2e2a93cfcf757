"""App passwords for mail tools: 128 random bits, so a fast keyed hash finds them and no guess does."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os

ALPHABET = "bcdfghjkmnpqrstv"
"""16 letters: no vowels, so no words, and none that look alike."""
GROUPS = 8


def new_app_password() -> str:
    """Return a fresh one, as 8 groups of 4 letters; a person sees it once."""
    letters = [ALPHABET[octet >> 4] + ALPHABET[octet & 15] for octet in os.urandom(16)]
    return "-".join(letters[n] + letters[n + 1] for n in range(0, 2 * GROUPS, 2))


def lookup(key: bytes, app_password: str) -> str:
    """Return the keyed hash by which an app password is found. Case, spaces and hyphens make no difference."""
    plain = "".join(app_password.replace("-", " ").split()).lower()
    return hmac.new(key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_from(networks: str, address: str) -> bool:
    """Tell whether an address lies in one of the networks (`192.0.2.0/24 2001:db8::/32`); none named means anywhere."""
    if not networks.strip():
        return True
    try:
        host = ipaddress.ip_address(address)
        if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped:
            host = host.ipv4_mapped
        return any(host in ipaddress.ip_network(one, strict=False) for one in networks.replace(",", " ").split())
    except ValueError:
        return False
