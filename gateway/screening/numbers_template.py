"""The template of the wrong client guard: as `gateway.screening.template`, and its children know one task more.

It has loaded what seals, which children that judge outside mail never need.
"""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.domain.guard import NumbersKey
from gateway.domain.verdict import Kind
from gateway.screening import child
from gateway.screening.examiner import Examiner
from gateway.screening.policy import Policy
from gateway.screening.protocol import Orders, Request, Task, lacks_pages
from gateway.screening.screen import screen
from gateway.screening.template import serve
from gateway.screening.wanted import SealedNumbers, Wanted

COMMAND: Final = (sys.executable, "-m", "gateway.screening.numbers_template")
"""Starts it: for `gateway.screening.pool.Pool`."""
POLICY: Final = Policy(frozenset({Kind.SSN, Kind.ITIN, Kind.ATIN, Kind.EIN, Kind.QI_EIN}))
"""What is searched for: numbers of nine digits."""


def find_numbers(octets: bytes, _request: Request, orders: Orders) -> bytes:
    """The task NUMBERS: find taxpayers' numbers, and seal them."""
    wanted = Wanted.decode(octets)
    examiner = Examiner(orders.policy, looks_at_all=True)
    verdict = screen(wanted.octets, orders.policy, limits=orders.limits, examiner=examiner)
    sealed = wanted.to.seal(examiner.numbers(), wanted.message_id)
    return SealedNumbers(sealed, bool(verdict.unreadable), lacks_pages(verdict)).encode()


def load_sealing() -> None:
    """Load what sealing loads when it is first used: a child could not."""
    mlkem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = mlkem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    approved, point = MLKEM1024PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1()).public_key()
    uncompressed = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for key in (NumbersKey(1, public), NumbersKey(2, approved.public_key().public_bytes_raw() + uncompressed)):
        key.seal((), "")


if __name__ == "__main__":
    load_sealing()
    serve(MappingProxyType({**child.TASKS, Task.NUMBERS: find_numbers}))
