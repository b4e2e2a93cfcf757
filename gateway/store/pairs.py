"""Key pairs of the sealing suites: made, and their private halves read. A private half is octets: the ML-KEM seed, then
raw X25519, or the scalar of P-384.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.store.sealing import MLKEM768_X25519, MLKEM1024_P384, P384_PRIVATE_OCTETS

SEED_OCTETS: Final = 64
PrivateHalf = hpke.MLKEM768X25519PrivateKey | hpke.MLKEM1024P384PrivateKey


def new_pair(suite: int) -> tuple[bytes, bytes]:
    """Make a private and a public half. Raises ValueError for a suite that nobody knows."""
    if suite not in _PAIRS:
        raise ValueError(f"unknown sealing suite {suite}")
    return _PAIRS[suite]()


def suite_of(private: bytes) -> int:
    """Return the suite that a private half is of, by its length."""
    return MLKEM1024_P384 if len(private) == SEED_OCTETS + P384_PRIVATE_OCTETS else MLKEM768_X25519


def read_private(private: bytes) -> PrivateHalf:
    """Return the key of a private half. Raises ValueError where it is none."""
    if suite_of(private) == MLKEM1024_P384:
        return hpke.MLKEM1024P384PrivateKey(*_approved(private))
    return hpke.MLKEM768X25519PrivateKey(*_standard(private))


def public_of(private: bytes) -> bytes:
    """Return the public half that belongs to a private one. Raises ValueError where it is none."""
    kem, curve = _approved(private) if suite_of(private) == MLKEM1024_P384 else _standard(private)
    return kem.public_key().public_bytes_raw() + _point(curve)


def _standard(private: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    seed, curve = private[:SEED_OCTETS], private[SEED_OCTETS:]
    return MLKEM768PrivateKey.from_seed_bytes(seed), X25519PrivateKey.from_private_bytes(curve)


def _approved(private: bytes) -> tuple[MLKEM1024PrivateKey, ec.EllipticCurvePrivateKey]:
    seed, scalar = private[:SEED_OCTETS], int.from_bytes(private[SEED_OCTETS:], "big")
    return MLKEM1024PrivateKey.from_seed_bytes(seed), ec.derive_private_key(scalar, ec.SECP384R1())


def _point(curve: ec.EllipticCurvePrivateKey | X25519PrivateKey) -> bytes:
    if isinstance(curve, X25519PrivateKey):
        return curve.public_key().public_bytes_raw()
    return curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _standard_pair() -> tuple[bytes, bytes]:
    kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    private = kem.private_bytes_raw() + curve.private_bytes_raw()
    return private, kem.public_key().public_bytes_raw() + _point(curve)


def _approved_pair() -> tuple[bytes, bytes]:
    kem, curve = MLKEM1024PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())
    private = kem.private_bytes_raw() + curve.private_numbers().private_value.to_bytes(P384_PRIVATE_OCTETS, "big")
    return private, kem.public_key().public_bytes_raw() + _point(curve)


_PAIRS: Mapping[int, Callable[[], tuple[bytes, bytes]]] = MappingProxyType(
    {MLKEM768_X25519: _standard_pair, MLKEM1024_P384: _approved_pair}
)
