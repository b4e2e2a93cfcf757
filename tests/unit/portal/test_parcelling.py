"""Full copies of one reply for many: what is kept of them in memory at once has an end."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.casework.enclosing import Wanting
from gateway.domain.recipient_key import KeyKind, RecipientKey
from gateway.portal.parcelling import NotCopied, Parcelling, Written

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
LETTER = Written("Ines Adler", "sm-2222-2222@secure.agency.example", "SM-2222-2222", NOW, "Budget", "the words")
PEOPLE = tuple(f"person{number}" for number in range(12))
FILE = 100_000


def certificate() -> bytes:
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Dana")])
    builder = x509.CertificateBuilder(name, name, private.public_key(), 1, NOW, NOW + dt.timedelta(days=9))
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)


async def test_no_more_ciphertext_is_kept_than_may_be_stored_with_one_reply() -> None:
    octets = certificate()
    wanted = [
        Wanting(one, "key", RecipientKey(KeyKind.SMIME, octets, "AB" * 32, None, f"{one}@a.example")) for one in PEOPLE
    ]
    parcelling = Parcelling(frozenset({"cwa"}), 1_000_000, None, most_ciphertext=5 * FILE)
    gathering = parcelling.gathering(wanted)
    assert gathering is not None
    gathering.begin_file("list.bin", "application/octet-stream")
    gathering.write(b"x" * FILE)
    copies = await parcelling.copies(gathering, LETTER)
    assert len(copies.parcels) == 2
    assert sum(len(one.ciphertext) for one in copies.parcels) <= 5 * FILE
    assert {reason for _, reason in copies.uncopied} == {NotCopied.TOO_LARGE.value}
    assert {one.person_id for one in copies.parcels} | {person for person, _ in copies.uncopied} == set(PEOPLE)
