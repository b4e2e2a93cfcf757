"""Messages of somebody who has left that wait for a yes: the successor's word counts, and nobody else's."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.guard_answers import say_yes, say_yes_by_answer
from gateway.casework.guarding import Look, settle_look
from gateway.casework.withdrawing import withdraw_by_answer
from gateway.domain.credential import Principal
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.reference import parse
from gateway.inbound.asking import Asking
from gateway.inbound.listener.seam import MailParameters, RecipientParameters
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from tests.contract.test_absence import PEER
from tests.contract.test_guard import held, paper, plan, send
from tests.settled import DEPOSIT_KEY, THREADS
from tests.timed import Timed


def leave(timed: Timed, who: str, to: str, *, preview: bool = False) -> dict[str, Any]:
    timed.time.pass_by(seconds=1)
    return timed.site.enact("leave", person=timed.people[who], successor=timed.people[to], preview=preview)


def asked(timed: Timed) -> list[tuple[str, str]]:
    """Who was asked for a yes so far, and how."""
    plan(timed)
    names = {person: name for name, person in timed.people.items()}
    rows = [row for row in timed.rows() if row.kind == NoticeKind.GUARD_WAITS]
    return [(names[row.person_id], json.loads(row.fields)["state"].removeprefix("guard_")) for row in rows]


def says_yes(timed: Timed, name: str, message: str) -> str:
    said = timed.database.call(say_yes, timed.authority, timed.people[name], message)
    return str(said.value).removeprefix("guard_")


def test_the_plan_counts_what_waits_and_the_successor_is_asked_when_it_is_done(timed: Timed) -> None:
    message = held(timed)
    assert leave(timed, "dana", "eve", preview=True)["waits"] == 1
    assert asked(timed) == [("dana", "another_case")]
    assert leave(timed, "dana", "eve")["waits"] == 1
    assert asked(timed) == [("dana", "another_case"), ("eve", "handed_on")]
    (left,) = [json.loads(row.body) for row in leaves(timed, "employee_left")]
    assert left["facts"]["waits"] == 1
    assert [says_yes(timed, name, message) for name in ("omar", "dana", "ines", "eve", "eve")] == [
        "not_released", "not_released", "not_released", "released", "not_held",
    ]  # fmt: skip
    (answered,) = [json.loads(row.body) for row in leaves(timed, "guard-answered")]
    assert (answered["facts"]["answer"], answered["by"]) == ("yes", timed.people["eve"])
    plan(timed)
    assert [row.kind for row in timed.rows()][-1] == NoticeKind.MESSAGE_WAITING


def test_a_successor_who_leaves_hands_it_on(timed: Timed) -> None:
    message = held(timed)
    leave(timed, "dana", "eve")
    assert leave(timed, "eve", "omar")["waits"] == 1
    assert asked(timed)[2:] == [("omar", "handed_on")]
    assert [says_yes(timed, name, message) for name in ("eve", "omar")] == ["not_released", "released"]


def test_who_returns_is_asked_again_and_the_successor_no_more(timed: Timed) -> None:
    message = held(timed)
    leave(timed, "dana", "eve")
    timed.time.pass_by(seconds=1)
    timed.site.enact("readmit", person="dana")
    assert asked(timed)[2:] == [("dana", "another_case")]
    assert [says_yes(timed, name, message) for name in ("eve", "dana")] == ["not_released", "released"]


def test_the_successor_is_reminded_and_told_where_it_is_never_sent(timed: Timed) -> None:
    held(timed)
    leave(timed, "dana", "eve")
    timed.time.pass_by(days=1)
    assert asked(timed)[1:] == [("eve", "handed_on")] * 2
    timed.time.pass_by(days=7)
    plan(timed)
    told = [row.person_id for row in timed.rows() if row.kind == NoticeKind.GUARD_ANSWER]
    assert told == [timed.people["eve"]]


def test_what_is_looked_at_after_its_author_has_left_waits_for_the_successor(timed: Timed) -> None:
    timed.site.add_user("olga", [timed.site.season["reference"]], "act")
    message = send(timed)
    assert leave(timed, "dana", "eve")["waits"] == 0
    timed.database.call(settle_look, timed.authority, Look(message, (paper(timed, "667113456", "olga"),)))
    assert asked(timed) == [("eve", "handed_on")]
    assert says_yes(timed, "eve", message) == "released"


def test_what_nobody_looked_at_waits_for_the_successor_as_well(timed: Timed) -> None:
    send(timed)
    timed.time.pass_by(minutes=61)
    assert asked(timed) == [("dana", "not_looked_at")]
    assert leave(timed, "dana", "eve")["waits"] == 1
    assert asked(timed)[1:] == [("eve", "handed_on")]


def test_a_message_of_a_closed_case_or_of_a_colleague_does_not_go_over(timed: Timed) -> None:
    message = held(timed)
    assert leave(timed, "omar", "eve", preview=True)["waits"] == 0
    timed.site.enact("close_case", case=timed.site.tour["case"])
    assert leave(timed, "dana", "eve")["waits"] == 0
    assert says_yes(timed, "eve", message) == "not_released"


def test_a_successor_without_the_case_releases_nothing(timed: Timed) -> None:
    message = held(timed)
    leave(timed, "dana", "eve")
    timed.site.enact("remove_team_member", team="desk@agency.example", person="eve")
    assert says_yes(timed, "eve", message) == "not_released"


@pytest.mark.parametrize(("word", "left"), [("RELEASE", "released"), ("WITHDRAW", "withdrawn_no_trace")])
async def test_the_successor_answers_their_notice_with_one_word(
    timed: Timed, tmp_path: Path, word: str, left: str
) -> None:
    message = held(timed)
    leave(timed, "dana", "eve")
    notice = next(row for row in timed.rows() if row.person_id == timed.people["eve"])
    reference = json.loads(notice.fields)["reference"]
    nobody: Any = None  # no sign-in, so nobody to judge one
    door = SubmissionDoor(
        timed.database, BlobFolder(tmp_path / "blobs", reserve_octets=0), nobody, {"cwa": timed.site.mailroom},
        DEPOSIT_KEY, lambda: None, asking=Asking(b"k" * 32, frozenset({"cwa"})),
    )  # fmt: skip
    for name, became in (("omar", "not_"), ("eve", left)):
        await answer(door, timed, name, str(THREADS.of(parse(reference), timed.people[name])), notice.id, word)
        told = [row for row in timed.rows() if row.kind in {NoticeKind.GUARD_ANSWER, NoticeKind.WITHDRAWAL}][-1]
        assert became in json.loads(told.fields)["state"]
        assert told.person_id == timed.people[name]
    wanted = select(tables.message.c.withdrawn_us).where(tables.message.c.id == message)
    assert timed.database.read_now(lambda c: c.execute(wanted).scalar_one() is not None) == (word == "WITHDRAW")


async def answer(door: SubmissionDoor, timed: Timed, name: str, to: str, outbox_id: str, word: str) -> None:
    sender = f"{name}@agency.example"
    envelope = MailParameters(sender, None, "8BITMIME", False, None, None, None)
    transaction = await door.begin(PEER, Principal(timed.people[name], ""), envelope)
    await transaction.add_recipient(RecipientParameters(to, None, None))
    transaction.start()
    answered = f"In-Reply-To: <notice.{outbox_id}@secure.agency.example>\r\n"
    transaction.write(f"From: {sender}\r\nSubject: Re\r\n{answered}\r\n{word}\r\n".encode())
    await transaction.commit()


def test_any_member_withdraws_by_answer_where_nobody_says_who_of_the_team_wrote(timed: Timed) -> None:
    message = held(timed)
    teams = select(tables.team.c.id).where(tables.team.c.address == "desk@agency.example")
    team = timed.database.read_now(lambda c: c.execute(teams).scalar_one())
    nameless = update(tables.message).where(tables.message.c.id == message).values(author_id=None, team_id=team)
    timed.database.call(lambda tx: tx.execute(nameless))
    (notice,) = [row for row in timed.rows() if row.kind == NoticeKind.GUARD_WAITS]
    withdrawn = partial(timed.database.call, withdraw_by_answer, timed.authority)
    assert withdrawn(timed.people["eve"], notice.id) is NoticeState.NOT_WITHDRAWN
    assert withdrawn(timed.people["omar"], notice.id) is NoticeState.WITHDRAWN_NO_TRACE
    said = timed.database.call(say_yes_by_answer, timed.authority, timed.people["omar"], notice.id, team)
    assert said is NoticeState.GUARD_NOT_HELD


def leaves(timed: Timed, kind: str) -> list[Any]:
    wanted = select(tables.leaf).where(tables.leaf.c.kind == kind).order_by(tables.leaf.c.id)
    return list(timed.database.read_now(lambda c: c.execute(wanted).all()))
