"""A memory of look-ups: what it keeps, for how long, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from gateway.store.memory import Memory, NotKnown, Recollection, Source, remembered


class Shelf:
    """A store of answers that counts how often it is asked."""

    def __init__(self, **answers: str | None) -> None:
        self.answers = answers
        self.asked = 0


SHELF = Shelf()


@remembered
def look_up(connection: Connection, name: str, now_us: int) -> str | None:
    SHELF.asked += 1
    return SHELF.answers.get(name)


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@pytest.fixture(autouse=True)
def empty_shelf() -> None:
    SHELF.answers, SHELF.asked = {"a": "apple"}, 0


def test_an_answer_is_kept_whatever_the_time_of_the_question(connection: Connection) -> None:
    memory = Memory()
    assert look_up(Recollection(memory, connection), "a", 1) == "apple"
    assert look_up(Recollection(memory), "a", 2) == "apple"
    assert SHELF.asked == 1


def test_what_was_not_found_is_not_kept(connection: Connection) -> None:
    memory = Memory()
    assert look_up(Recollection(memory, connection), "b", 1) is None
    SHELF.answers["b"] = "banana"
    assert look_up(Recollection(memory, connection), "b", 1) == "banana"


def test_an_answer_ends_with_its_time(connection: Connection) -> None:
    memory = Memory(seconds=-1.0)
    look_up(Recollection(memory, connection), "a", 1)
    with pytest.raises(NotKnown):
        look_up(Recollection(memory), "a", 1)


def test_what_is_forgotten_is_asked_again(connection: Connection) -> None:
    memory = Memory()
    look_up(Recollection(memory, connection), "a", 1)
    SHELF.answers["a"] = "avocado"
    memory.forget()
    assert look_up(Recollection(memory, connection), "a", 1) == "avocado"


def test_a_connection_is_always_asked(connection: Connection) -> None:
    source: Source = connection
    assert [look_up(source, "a", 1), look_up(source, "a", 1)] == ["apple", "apple"]
    assert SHELF.asked == 2


def test_without_a_connection_nothing_can_be_executed() -> None:
    with pytest.raises(NotKnown):
        Recollection(Memory()).execute(None)  # type: ignore[arg-type]
