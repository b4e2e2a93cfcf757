"""A small invented site for tests: employees, a team, two cases, two people of the other side, real signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from sqlalchemy import Table

from gateway.casework.act import Actor
from gateway.casework.addressing import Mailroom
from gateway.casework.administration import enact
from gateway.domain.thread_address import ThreadAddresses
from gateway.store.authority import sign
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.sealing import HPKE_SUITE, MLKEM768_X25519, SealingKey, wrap_info
from gateway.store.transaction import Transaction

DOMAIN = "secure.agency.example"
DEPOSIT_KEY = b"d" * 32
THREADS = ThreadAddresses(DOMAIN, b"r" * 32)


@dataclass(slots=True)
class TestAuthority:
    """Signs and keeps private keys as the keyholder does, in this process."""

    __test__ = False

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kept: dict[str, MLKEM768X25519PrivateKey] = field(default_factory=dict)

    @property
    def key(self) -> Ed25519PublicKey:
        return self.private.public_key()

    def sign(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        signed = {**row, "version": row.get("version", 0) + 1}
        signed["signature"] = sign(table, signed, self.private)
        return signed

    def new_sealing_key(self) -> SealingKey:
        kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        key = SealingKey(new_id(), MLKEM768_X25519, public)
        self.kept[key.id] = MLKEM768X25519PrivateKey(kem, curve)
        return key

    def blind(self, what: str, value: str) -> str:
        return hashlib.sha256(f"{what} {value}".encode()).hexdigest()

    def unwrap(self, key_id: str, suite: int, wrapped: bytes, message_id: str) -> bytes:
        return HPKE_SUITE.decrypt(wrapped, self.kept[key_id], wrap_info(key_id, suite, message_id))


class Settled:
    """`dana` and `omar` are the team of both cases, `eve` has none; `ines` acts in one, `raul` sees both."""

    def __init__(self, database: Database, authority: TestAuthority | None = None) -> None:
        self.database = database
        self.authority = authority or TestAuthority()
        self.people: dict[str, str] = {}
        for name in ("dana", "omar", "eve"):
            made = self.enact("add_employee", programme="cwa", name=name.title(), address=f"{name}@agency.example",
                              username=name)  # fmt: skip
            self.people[name] = made["person"]
        self.enact("add_team", programme="cwa", name="Desk", address="desk@agency.example")
        for name in ("dana", "omar"):
            self.enact("add_team_member", team="desk@agency.example", person=name)
        self.tour = self.enact("open_case", programme="cwa", series="SM", trial=True, team="desk@agency.example")
        self.season = self.enact("open_case", programme="cwa", series="SM", trial=True, team="desk@agency.example")
        self.users: dict[str, dict[str, Any]] = {}
        self.add_user("ines", [self.tour["reference"]], "act")
        self.add_user("raul", [self.tour["reference"], self.season["reference"]], "see")

    @property
    def mailroom(self) -> Mailroom:
        ask = "Please ask the administrators."
        return Mailroom(DOMAIN, frozenset({"agency.example"}), ask, self.authority.key, THREADS)

    def enact(self, verb: str, **arguments: Any) -> dict[str, Any]:
        def run(tx: Transaction) -> dict[str, Any]:
            return enact(tx, self.authority, Actor(), verb, arguments)

        return self.database.call(run)

    def add_user(self, name: str, cases: list[str], right: str) -> None:
        made = self.enact(
            "add_designated_user",
            programme="cwa",
            cases=cases,
            name=name.title(),
            address=f"{name}@tours.example",
            username=name,
            right=right,
        )
        self.users[name] = made
        self.people[name] = made["person"]

    def address(self, case: Mapping[str, Any]) -> str:
        return f"{str(case['reference']).lower()}@{DOMAIN}"
