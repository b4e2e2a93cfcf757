"""Whether an OpenPGP public key can be an employee's: one key, for an address of theirs, strong, in force, in use.

That it is theirs indeed is another question: a name can be written into any key. See `gateway.parcels.proving`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from gateway.domain.errors import Malformed, Unavailable
from gateway.domain.recipient_key import MAX_OCTETS, SHORTEST, KeyKind, RecipientKey
from gateway.parcels.gpg import FINGERPRINT, GONE, gpg_in, is_installed, public_keys, user_named

MAX_FILE: Final = 1024 * 1024
"""A key that many have certified is long; what others have certified is thrown away at once."""
CHECK_SECONDS: Final = 10.0
"""A key is read in hundredths of a second; what takes longer was made to."""
_PUBLIC: Final = (b"\x98", b"\x99", b"\x9a", b"\xc6")
_RSA: Final = ("1", "2", "3")
_CURVES: Final = frozenset({"ed25519", "cv25519", "nistp256", "nistp384", "nistp521"})
_LEAST_BITS: Final = 2048


def check_openpgp(octets: bytes, addresses: Iterable[str], now: datetime) -> RecipientKey:
    """Return the key in a file (armoured or not), with nothing in it but what is needed, for one of these addresses.

    Blocks, so call it in a thread. Raises Malformed that says what is wrong with it, Unavailable where there is no gpg.
    """
    if len(octets) > MAX_FILE:
        raise Malformed("This file is too large for one key. Export your key alone.")
    if is_secret(octets):
        raise Malformed("This is a secret key. It was not kept; never send it to anyone. Export the public key.")
    if not is_installed():
        raise Unavailable("OpenPGP keys cannot be checked here now. Please try again later.")
    try:
        with public_keys() as home:
            gpg = gpg_in(home, now, CHECK_SECONDS)
            gpg.import_keys(octets, extra_args=["--import-options", "import-minimal"])
            listed = [dict(one) for one in gpg.list_keys()]
            if len(listed) != 1:
                raise Malformed(
                    "No public key can be read in this."
                    if not listed
                    else f"There are {len(listed)} keys in this. Export your own alone."
                )
            kept = bytes(gpg.export_keys(str(listed[0]["fingerprint"]), armor=False, minimal=True))
            users = dict(gpg.list_keys().uid_map)
    except (OSError, ValueError):
        raise Unavailable("OpenPGP keys cannot be checked here now. Please try again later.") from None
    expires = _require_usable(listed[0], now)
    address = _own_address(users, addresses)
    if not 0 < len(kept) <= MAX_OCTETS:
        raise Malformed("This key is too large. Make one without pictures and with few subkeys.")
    return RecipientKey(KeyKind.OPENPGP, kept, str(listed[0]["fingerprint"]), expires, address)


def is_openpgp(octets: bytes) -> bool:
    """Tell whether a file looks like an OpenPGP key, and not like a certificate."""
    return octets.lstrip().startswith(b"-----BEGIN PGP") or is_secret(octets) or octets[:1] in _PUBLIC


def is_secret(octets: bytes) -> bool:
    """Tell whether a file has a secret key in it, armoured or as packets (RFC 9580 section 5.5.1)."""
    if b"PGP PRIVATE KEY BLOCK" in octets:
        return True
    return bool(octets) and (octets[0] in (0xC5, 0xC7) or octets[0] & 0xFC in (0x94, 0x9C))


def _require_usable(key: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when the key ends to be of use, None for never. Raises Malformed."""
    if not FINGERPRINT.match(str(key["fingerprint"])):
        raise Malformed("This key is of a version that is not used here.")
    if key["trust"] == "r":
        raise Malformed("This key is revoked. Make a new one.")
    ends = _instant(key["expires"])
    if key["trust"] == "e" or (ends is not None and ends <= now):
        raise Malformed("This key has expired. Extend it, or make a new one.")
    if key["trust"] in GONE:
        raise Malformed("This key is disabled or not whole.")
    _require_strong(key)
    usable = [one for one in _encrypting(key) if one["trust"] not in GONE]
    usable = [one for one in usable if (end := _instant(one["expires"])) is None or end > now]
    if not usable or "E" not in key["cap"]:
        raise Malformed("Nothing can be encrypted to this key: it has no subkey for that, or none in force.")
    for one in usable:
        _require_strong(one)
    of_subkeys = [_instant(one["expires"]) for one in usable]
    last = None if None in of_subkeys else max(end for end in of_subkeys if end is not None)
    expires = min((end for end in (ends, last) if end is not None), default=None)
    require_some_time(expires, now)
    return expires


def require_some_time(expires: datetime | None, now: datetime) -> None:
    """Raise Malformed for what ends before anything came of it."""
    if expires is not None and expires - now < SHORTEST:
        raise Malformed(f"This ends on {expires:%Y-%m-%d}, which is too soon. Extend it, or take another.")


def _encrypting(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    own = [key] if "e" in key["cap"] else []
    return own + [one for one in key.get("subkey_info", {}).values() if "e" in one["cap"]]


def _require_strong(one: Mapping[str, Any]) -> None:
    """Hold a key or subkey to the floor: RSA from 2048 bits, Curve25519, the curves of NIST. Raises Malformed."""
    if one["algo"] in _RSA and int(one["length"] or 0) >= _LEAST_BITS:
        return
    if one["algo"] not in _RSA and one["curve"] in _CURVES:
        return
    what = f"RSA with {one['length']} bits" if one["algo"] in _RSA else "an algorithm or curve that is not taken here"
    raise Malformed(f"This key uses {what}. Take RSA with 2048 bits or more, Curve25519, or a curve of NIST.")


def _own_address(users: Mapping[str, Mapping[str, Any]], addresses: Iterable[str]) -> str:
    """Return the employee's address that a user id in force has exactly. Raises Malformed."""
    own = {one.lower(): one for one in addresses}
    for written, fields in users.items():
        named = user_named(written)
        if named is not None and fields["trust"] not in GONE and named[1].lower() in own:
            return own[named[1].lower()]
    raise Malformed("No user id of this key has your address. Add one to the key, or take the key of this address.")


def _instant(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(int(str(seconds)), UTC) if str(seconds or "").isdigit() else None
