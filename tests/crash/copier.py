"""A program that enters a reply with its parcel, or dies at it: `python -m tests.crash.copier URL CASE AUTHOR DANA`."""

from __future__ import annotations

import sys

from gateway.casework.correspondence import Posting, reply
from gateway.casework.deposit import SealedMessage
from gateway.store.cases import case_sealing_key
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.parcels import Parcel
from tests.notifying import AUTHORITY, Time
from tests.unit.domain.test_parcel import PARCEL

KEY, FINGERPRINT = "key", "AB" * 20
ADDRESS = "dana@agency.example"


def enter(url: str, case_id: str, author_id: str, dana_id: str) -> None:
    """Enter a reply of the other side, with a full copy for dana."""
    database, public = Database(url, clock=Time()), AUTHORITY.public_key()
    key = database.read_now(lambda rows: case_sealing_key(rows, public, case_id))
    sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
    copy = Parcel(dana_id, KEY, FINGERPRINT, ADDRESS, PARCEL)
    posting = Posting(sealed, case_id, author_id, (), submission_key="f" * 32, parcels=(copy,))
    database.call(reply, public, posting)
    database.close()


if __name__ == "__main__":
    enter(*sys.argv[1:])
