from __future__ import annotations

from dataclasses import asdict, fields, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.errors import NotAuthenticated
from gateway.domain.proof import Binding, Ending
from gateway.domain.session import FRESH_US

KEY = Ed25519PrivateKey.generate()
NOW = 1_800_000_000_000_000
BINDING = Binding(NOW, "c1", "p1", "f1", "identity", "Login", "a" * 64, "login")
ENDING = Ending(NOW, "p1", "c1", "s1 s2", "no", "signed-out")


@pytest.mark.parametrize("statement", [BINDING, ENDING])
def test_a_fresh_statement_is_taken_and_reads_as_it_was_written(statement: Binding | Ending) -> None:
    read = type(statement).from_json(asdict(statement))
    read.verify(statement.sign(KEY), KEY.public_key(), NOW)


@pytest.mark.parametrize("name", [field.name for field in fields(Binding)])
def test_every_field_is_signed(name: str) -> None:
    value = getattr(BINDING, name)
    changed = replace(BINDING, **{name: value + 1 if isinstance(value, int) else value + "x"})
    with pytest.raises(NotAuthenticated):
        changed.verify(BINDING.sign(KEY), KEY.public_key(), NOW)


def test_an_old_or_early_statement_is_refused() -> None:
    for now in (NOW + FRESH_US + 1, NOW - FRESH_US - 1):
        with pytest.raises(NotAuthenticated):
            BINDING.verify(BINDING.sign(KEY), KEY.public_key(), now)


def test_another_keys_statement_is_refused() -> None:
    with pytest.raises(NotAuthenticated):
        BINDING.verify(BINDING.sign(Ed25519PrivateKey.generate()), KEY.public_key(), NOW)


@pytest.mark.parametrize("change", [{"issued_us": "1"}, {"issued_us": True}, {"lookup": None}, {"person_id": 7}])
def test_a_statement_of_wrong_types_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(NotAuthenticated):
        Binding.from_json({**asdict(BINDING), **change})


@pytest.mark.parametrize("value", [None, [], "text", {}])
def test_what_is_no_statement_is_refused(value: object) -> None:
    with pytest.raises(NotAuthenticated):
        Ending.from_json(value)
