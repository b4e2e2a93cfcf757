"""A memory of look-ups: what it keeps, for how long, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from gateway.domain.rights import Right, Side
from gateway.store.cases import Circle
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


@remembered
def look_in(connection: Connection, mailroom: list[str], name: str, now_us: int) -> str | None:
    SHELF.asked += 1
    return SHELF.answers.get(name) if name in mailroom else None


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


def test_nothing_stays_of_questions_without_an_answer(connection: Connection) -> None:
    memory = Memory()
    for number in range(100):
        look_up(Recollection(memory, connection), f"nobody {number}", 1)
    assert SHELF.asked == 100
    assert (memory.answers, memory._asking) == ({}, {})


def test_nothing_stays_of_a_question_that_failed(connection: Connection) -> None:
    memory = Memory()
    with pytest.raises(TypeError):
        look_in(Recollection(memory, connection), None, "a", 1)  # type: ignore[arg-type]
    assert memory._asking == {}


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


def test_a_mailroom_counts_by_identity_whether_or_not_it_has_a_hash(connection: Connection) -> None:
    mailroom, alike, memory = ["a"], ["a"], Memory()
    assert look_in(Recollection(memory, connection), mailroom, "a", 1) == "apple"
    assert look_in(Recollection(memory), mailroom, "a", 2) == "apple"
    with pytest.raises(NotKnown):
        look_in(Recollection(memory), alike, "a", 2)
    assert SHELF.asked == 1


def test_a_look_up_takes_what_is_no_part_of_its_question_at_its_ends() -> None:
    def late(connection: Connection, name: str, authority: object) -> str:
        return f"{connection}{name}{authority}"

    def early(connection: Connection, now_us: int, name: str) -> str:
        return f"{connection}{now_us}{name}"

    for query in (late, early):
        with pytest.raises(TypeError, match="authority first"):
            remembered(query)


@pytest.mark.parametrize(("others", "employees"), [((), ("dana",)), (("ines",), ())])
def test_a_circle_with_nobody_on_one_side_is_not_kept(others: tuple[str, ...], employees: tuple[str, ...]) -> None:
    """Who is let in is served at their next message, not a memory later."""
    circle = Circle(dict.fromkeys(others, Right.ACT), frozenset(employees))
    answers = iter([circle, Circle({"ines": Right.ACT}, frozenset({"dana"}))])
    memory = Memory()
    memory.ask(("circle",), None, lambda: next(answers))
    assert memory.find(("circle",)) is None
    memory.ask(("circle",), None, lambda: next(answers))
    known = memory.find(("circle",))
    assert [known.side_of(one) for one in ("ines", "dana", "eve")] == [Side.CORRESPONDENT, Side.OFFICE, None]


def test_without_a_connection_nothing_can_be_executed() -> None:
    with pytest.raises(NotKnown):
        Recollection(Memory()).execute(None)  # type: ignore[arg-type]
