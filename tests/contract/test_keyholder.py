from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import tempfile
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update
from structlog.testing import capture_logs

from gateway.domain.errors import (
    KeyholderUnavailable,
    Malformed,
    NotAllowed,
    NotAuthenticated,
    RateExceeded,
    Tampered,
)
from gateway.domain.session import session_id
from gateway.frames import FrameClient
from gateway.identity.sessions import SessionLimits, new_session
from gateway.keyholder.client import KeyholderClient
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.ids import new_id
from gateway.store.sealing import body_key, part_key, summary_key
from tests.keyed_site import KeyedSite

MINUTE_US = 60_000_000
NOBODY = 65534


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        yield running


async def refused(call: object) -> str:
    with pytest.raises(NotAllowed) as caught:
        await call  # type: ignore[misc]
    return caught.value.advice


# ---- opening


async def test_a_recipient_opens_one_received_message_with_its_body_key(site: KeyedSite) -> None:
    case = await site.case(await site.employee())
    cora = await site.correspondent(case)
    message = await site.deposit(case, cora["person"])
    grant = await site.keyholder.open(await site.signed_in(cora["person"]), message.id)
    assert grant.summary_key == summary_key(message.content_key, message.id)
    assert grant.key == body_key(message.content_key, message.id)


async def test_a_composed_message_is_opened_part_by_part_and_its_text_first(site: KeyedSite) -> None:
    erin = await site.employee()
    message = await site.deposit(await site.case(erin), composed=True, side="correspondent")
    token = await site.signed_in(erin)
    assert (await site.keyholder.open(token, message.id)).key == part_key(message.content_key, message.id, "1")
    assert (await site.keyholder.open(token, message.id, "3")).key == part_key(message.content_key, message.id, "3")


@pytest.mark.parametrize(("reader", "left"), [("sees", {"acts"}), ("acts", set())])
async def test_an_opening_ends_all_reminders_where_its_reader_may_act_and_else_their_own(
    site: KeyedSite, reader: str, left: set[str]
) -> None:
    case = await site.case(await site.employee())
    made = {
        right: await site.correspondent(case, username=f"{right}-user", right=right[:3]) for right in ("acts", "sees")
    }
    people = {right: one["person"] for right, one in made.items()}
    message = await site.deposit(case, *people.values())
    await site.execute(update(tables.recipient).values(remind_us=1))
    await site.keyholder.open(await site.signed_in(people[reader]), message.id)
    wanted = select(tables.recipient.c.person_id).where(tables.recipient.c.remind_us.is_not(None))
    owing = await site.database.read(lambda c: set(c.execute(wanted).scalars()))
    assert owing == {people[right] for right in left}


async def test_an_opening_is_entered_once_and_notes_when_its_recipient_first_read(site: KeyedSite) -> None:
    case = await site.case()
    cora = await site.correspondent(case)
    message = await site.deposit(case, cora["person"])
    token = await site.signed_in(cora["person"])
    await site.keyholder.open(token, message.id)
    (body,) = await site.leaves("opened")
    entry = json.loads(body)
    assert entry["by"] == cora["person"]
    assert entry["facts"]["message"] == message.id
    assert entry["facts"]["session"] == session_id(token)
    first = await site.database.read(lambda c: c.execute(select(tables.recipient.c.first_read_us)).scalar_one())
    assert first is not None
    await site.keyholder.open(token, message.id)
    assert await site.database.read(lambda c: c.execute(select(tables.recipient.c.first_read_us)).scalar_one()) == first


async def test_a_list_gives_summary_keys_newest_first_by_pages_and_one_entry_each(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    made = [await site.deposit(case) for _ in range(5)]
    token = await site.signed_in(erin)
    page = await site.keyholder.list(token, case, limit=3)
    assert [grant.message_id for grant in page] == [one.id for one in reversed(made[2:])]
    assert page[0].summary_key == summary_key(made[4].content_key, made[4].id)
    row = await site.database.read(
        lambda c: c.execute(select(tables.message).where(tables.message.c.id == page[-1].message_id)).one()
    )
    rest = await site.keyholder.list(token, case, (row.received_us, row.id))
    assert [grant.message_id for grant in rest] == [made[1].id, made[0].id]
    assert len(await site.leaves("listed")) == 2


async def test_what_is_absent_and_what_is_forbidden_look_the_same(site: KeyedSite) -> None:
    case, other = await site.case(), await site.case()
    cora = await site.correspondent(case)
    theirs = await site.deposit(other)
    token = await site.signed_in(cora["person"])
    answers = {
        await refused(site.keyholder.open(token, theirs.id)),
        await refused(site.keyholder.open(token, new_id())),
        await refused(site.keyholder.list(token, other)),
        await refused(site.keyholder.list(token, new_id())),
    }
    assert len(answers) == 1
    assert not await site.leaves("opened")


async def test_an_employee_outside_the_case_reads_nothing_and_a_team_member_does(site: KeyedSite) -> None:
    erin, frank = await site.employee("erin"), await site.employee("frank")
    team = (await site.operator.enact("add_team", programme="cwa", name="Desk", address="desk@agency.example"))["team"]
    case = await site.case()
    await site.operator.enact("assign", case=case, team=team)
    await site.operator.enact("add_team_member", team=team, person=erin)
    message = await site.deposit(case)
    inside, outside = await site.signed_in(erin), await site.signed_in(frank)
    assert (await site.keyholder.open(inside, message.id)).message_id == message.id
    await refused(site.keyholder.open(outside, message.id))
    await site.operator.enact("remove_team_member", team=team, person=erin)
    await refused(site.keyholder.open(inside, message.id))


async def test_a_revoked_designated_user_reads_nothing_and_keeps_the_other_agreement(site: KeyedSite) -> None:
    one, two = await site.case(), await site.case()
    cora = await site.correspondent(one)
    await site.operator.enact("add_designated_user", programme="cwa", cases=[two], person=cora["person"])
    lost, kept = await site.deposit(one), await site.deposit(two)
    token = await site.signed_in(cora["person"])
    await site.keyholder.open(token, lost.id)
    await site.operator.enact("revoke_designated_user", designated_user=cora["designated_user"])
    await refused(site.keyholder.open(token, lost.id))
    assert (await site.keyholder.open(token, kept.id)).message_id == kept.id


async def test_a_right_ends_at_its_instant_on_a_live_session(site: KeyedSite) -> None:
    case = await site.case()
    cora = await site.correspondent(case, until_us=site.clock.now_us + 10 * MINUTE_US, right="see")
    message = await site.deposit(case)
    token = await site.signed_in(cora["person"])
    await site.keyholder.open(token, message.id)
    site.clock.forward(minutes=11)
    await refused(site.keyholder.open(token, message.id))


async def test_a_withdrawn_message_is_given_to_its_authors_side_alone(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    cora = await site.correspondent(case)
    message = await site.deposit(case, cora["person"])
    await site.execute(update(tables.message).values(withdrawn_us=1))
    office, outside = await site.signed_in(erin), await site.signed_in(cora["person"])
    assert (await site.keyholder.open(office, message.id)).message_id == message.id
    assert len(await site.keyholder.list(office, case)) == 1
    await refused(site.keyholder.open(outside, message.id))
    assert await site.keyholder.list(outside, case) == ()


async def test_a_message_moved_to_another_case_in_the_store_opens_for_nobody(site: KeyedSite) -> None:
    mine, theirs = await site.case(), await site.case()
    cora = await site.correspondent(mine)
    message = await site.deposit(theirs)
    await site.execute(update(tables.message).values(case_id=mine))
    token = await site.signed_in(cora["person"])
    await refused(site.keyholder.open(token, message.id))
    assert await site.keyholder.list(token, mine) == ()


async def test_a_wrap_copied_to_another_message_does_not_open(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    one, two = await site.deposit(case), await site.deposit(case)
    wraps = tables.message_wrap
    copied = select(wraps.c.wrapped).where(wraps.c.message_id == one.id).scalar_subquery()
    await site.execute(update(wraps).where(wraps.c.message_id == two.id).values(wrapped=copied))
    with pytest.raises(Tampered), capture_logs() as told:
        await site.keyholder.open(await site.signed_in(erin), two.id)
    assert any(line["event"] == "alarm" for line in told)


# ---- rates


async def test_sixty_openings_a_minute_and_no_more(site: KeyedSite) -> None:
    erin = await site.employee()
    message = await site.deposit(await site.case(erin))
    token = await site.signed_in(erin)
    site.clock.stand()
    for _ in range(60):
        await site.keyholder.open(token, message.id)
    with pytest.raises(RateExceeded):
        await site.keyholder.open(token, message.id)
    assert len(await site.leaves("opened")) == 60
    site.clock.forward(seconds=61)
    await site.keyholder.open(token, message.id)


async def test_many_openings_at_once_are_all_answered(site: KeyedSite) -> None:
    erin = await site.employee()
    message = await site.deposit(await site.case(erin))
    tokens = [await site.signed_in(erin) for _ in range(10)]
    grants = await asyncio.gather(*(site.keyholder.open(tokens[n % 10], message.id) for n in range(500)))
    assert {grant.key for grant in grants} == {body_key(message.content_key, message.id)}
    assert len(await site.leaves("opened")) == 500


# ---- sessions


async def test_a_session_ends_when_idle_when_over_and_when_signed_out(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    limits = SessionLimits(idle_us=5 * MINUTE_US, absolute_us=12 * MINUTE_US)
    idle = await site.signed_in(erin, limits)
    site.clock.forward(minutes=6)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(idle, case)
    used = await site.signed_in(erin, limits)
    for _ in range(2):
        site.clock.forward(minutes=4)
        await site.keyholder.touch(used)
    await site.keyholder.list(used, case)
    site.clock.forward(minutes=4, seconds=1)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(used, case)
    left = await site.signed_in(erin, limits)
    await site.keyholder.end_session(left)
    await site.keyholder.end_session(left)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(left, case)


async def test_ending_a_person_ends_their_sessions(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    token = await site.signed_in(erin)
    await site.operator.enact("end_person", person=erin)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(token, case)


async def test_a_statement_is_admitted_once_and_only_fresh_and_unaltered(site: KeyedSite) -> None:
    erin, frank = await site.employee("erin"), await site.employee("frank")
    made = await site.operator.enact("add_credential", person=erin, kind="totp", label="phone", data="x")
    proof = (made["credential"],)
    _, statement, signature = new_session(site.signing.session, erin, proof, 2, site.clock.now_us, SessionLimits())
    _, unsigned, forged = new_session(Ed25519PrivateKey.generate(), erin, proof, 2, site.clock.now_us, SessionLimits())
    _, anothers, by_another = new_session(site.signing.session, frank, proof, 2, site.clock.now_us, SessionLimits())
    for wrong, under in (
        (replace(statement, person_id=frank), signature),
        (replace(statement, absolute_us=statement.absolute_us + 1), signature),
        (unsigned, forged),
        (anothers, by_another),
    ):
        with pytest.raises(NotAuthenticated):
            await site.keyholder.admit(wrong, under)
    await site.keyholder.admit(statement, signature)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.admit(statement, signature)
    _, late, late_signature = new_session(site.signing.session, erin, proof, 2, site.clock.now_us, SessionLimits())
    site.clock.forward(minutes=2)
    with pytest.raises(NotAuthenticated):
        await site.keyholder.admit(late, late_signature)


# ---- rows that give power


async def test_a_forged_grant_gives_nothing_and_raises_an_alarm(site: KeyedSite) -> None:
    case, theirs = await site.case(), await site.case()
    cora = await site.correspondent(case)
    message = await site.deposit(theirs)
    token = await site.signed_in(cora["person"])
    forger = Ed25519PrivateKey.generate()
    row = {
        "id": new_id(),
        "agreement_id": cora["agreement"],
        "case_id": theirs,
        "from_us": 0,
        "until_us": None,
        "version": 1,
    }
    row["signature"] = sign(tables.agreement_case, row, forger)
    await site.execute(tables.agreement_case.insert().values(row))
    with capture_logs() as told:
        await refused(site.keyholder.open(token, message.id))
    assert {"event": "alarm", "table": "agreement_case", "row_id": row["id"]}.items() <= told[0].items()


async def test_an_altered_grant_gives_nothing(site: KeyedSite) -> None:
    case = await site.case()
    cora = await site.correspondent(case, until_us=site.clock.now_us + MINUTE_US)
    message = await site.deposit(case)
    token = await site.signed_in(cora["person"])
    await site.execute(update(tables.designated_user).values(until_us=None))
    await refused(site.keyholder.open(token, message.id))


async def test_a_row_put_back_to_an_older_version_gives_nothing_even_after_a_restart(
    tmp_path: Path, store_url: str
) -> None:
    async with KeyedSite(tmp_path, store_url).running() as site:
        case = await site.case()
        cora = await site.correspondent(case)
        message = await site.deposit(case)
        token = await site.signed_in(cora["person"])
        table = tables.designated_user
        before = await site.database.read(lambda c: c.execute(select(table)).one())
        await site.operator.enact("revoke_designated_user", designated_user=cora["designated_user"])
        await site.execute(update(table).values(dict(before._mapping)))
        with capture_logs() as told:
            await refused(site.keyholder.open(token, message.id))
        assert any(line["event"] == "alarm" and line["row_id"] == before.id for line in told)
        with pytest.raises(Tampered):
            await site.operator.enact("revoke_designated_user", designated_user=cora["designated_user"])
    again = tmp_path / "again"
    again.mkdir()
    (tmp_path / "keystore.db").rename(again / "keystore.db")
    (tmp_path / "keys").rename(again / "keys-before")
    site = KeyedSite(again, store_url)
    assert site.keystore.floors.accept("designated_user", before.id, before.version) is False
    assert site.keystore.floors.accept("designated_user", before.id, before.version + 1) is True
    site.close()


async def test_a_session_put_back_to_life_is_refused(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    token = await site.signed_in(erin)
    before = await site.database.read(lambda c: c.execute(select(tables.session)).one())
    await site.keyholder.end_session(token)
    await site.execute(update(tables.session).values(dict(before._mapping)))
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(token, case)


# ---- administration


async def test_an_administrator_may_do_all_in_their_programme_but_make_administrators(site: KeyedSite) -> None:
    root = await site.employee("root", role="administrator")
    token = await site.signed_in(root)
    who = {"name": "New", "address": "new@agency.example", "username": "new"}
    await refused(site.keyholder.enact(token, "add_employee", programme="cwa", role="administrator", **who))
    await refused(site.keyholder.enact(token, "add_employee", programme="county", **who))
    made = await site.keyholder.enact(token, "add_employee", programme="cwa", **who)
    other = await site.case(programme="county")
    await refused(site.keyholder.enact(token, "assign", case=other, person=made["person"]))


async def test_others_may_only_change_their_own_app_passwords_and_codes(site: KeyedSite) -> None:
    erin, frank = await site.employee("erin"), await site.employee("frank")
    case = await site.case()
    cora = await site.correspondent(case)
    token, outside = await site.signed_in(erin), await site.signed_in(cora["person"])
    own = await site.keyholder.enact(
        token, "add_credential", person=erin, kind="app_password", label="mutt", lookup="ab" * 32
    )
    assert await site.keyholder.enact(token, "revoke_credential", person=erin, **own) == {"ended": 1}
    app = {"kind": "app_password", "label": "mutt", "lookup": "cd" * 32}
    await refused(site.keyholder.enact(token, "add_credential", person=frank, **app))
    await refused(site.keyholder.enact(outside, "add_credential", person=cora["person"], **app))
    await refused(
        site.keyholder.enact(token, "add_credential", person=erin, kind="password", label="password", data="x")
    )
    await refused(site.keyholder.enact(token, "assign", case=case, person=erin))
    await refused(site.keyholder.enact(token, "open_case", programme="cwa", series="SM", trial=True))


async def test_wrong_verbs_and_arguments_are_malformed_and_change_nothing(site: KeyedSite) -> None:
    case = await site.case()
    for verb, arguments in (
        ("drop_everything", {}),
        ("close_case", {}),
        ("close_case", {"case": 7}),
        ("close_case", {"case": case, "act": "x"}),
        ("add_designated_user", {"programme": "cwa", "cases": case}),
        ("add_designated_user", {"programme": "cwa", "cases": [case], "until_us": "soon"}),
        ("add_employee", {"programme": "cwa", "name": "A\r\nBcc: x", "address": "a@b.example", "username": "aaa"}),
    ):
        with pytest.raises(Malformed):
            await site.operator.enact(verb, **arguments)


async def test_usernames_and_addresses_of_employees_mean_one_person(site: KeyedSite) -> None:
    await site.employee("erin")
    with pytest.raises(Malformed):
        await site.employee("erin")
    for address in ("ERIN@agency.example", "erin@agency.example"):
        with pytest.raises(Malformed):
            await site.operator.enact("add_employee", programme="cwa", name="Other", address=address, username="other")


# ---- the record


async def test_leaves_get_consecutive_positions_within_moments(site: KeyedSite) -> None:
    await site.employee()
    await site.case()
    table = tables.leaf
    async with asyncio.timeout(60):
        while True:
            rows = await site.database.read(
                lambda c: c.execute(select(table.c.position).order_by(table.c.position)).all()
            )
            positions = [row.position for row in rows]
            if None not in positions and len(positions) >= 4:
                break
            await asyncio.sleep(0.05)
    assert positions == list(range(len(positions)))


# ---- who asks


async def test_what_the_portal_holds_without_a_live_session_gives_nothing(site: KeyedSite) -> None:
    """Its socket and its database, and nobody signed in: it reads nothing, makes no session, grants itself nothing."""
    erin = await site.employee()
    case = await site.case(erin)
    message = await site.deposit(case)
    signed_out = await site.signed_in(erin)
    await site.keyholder.end_session(signed_out)
    row = await site.database.read(lambda c: c.execute(select(tables.session)).first())
    portal = KeyholderClient(site.folder / "keyholder.sock")
    for token in (signed_out, b"\0" * 32, b"", row.id.encode()):
        for call in (portal.open(token, message.id), portal.list(token, case), portal.touch(token)):
            with pytest.raises(NotAuthenticated):
                await call
        with pytest.raises(NotAuthenticated):
            await portal.enact(token, "assign", case=case, person=erin)
    made_up = Ed25519PrivateKey.generate()
    token, statement, signature = new_session(made_up, erin, ("x",), 2, site.clock.now_us, SessionLimits())
    with pytest.raises(NotAuthenticated):
        await portal.admit(statement, signature)
    columns = {
        "id": session_id(token),
        "person_id": erin,
        "issued_us": site.clock.now_us,
        "absolute_us": site.clock.now_us + MINUTE_US,
        "idle_us": MINUTE_US,
        "assurance": 2,
        "ended_us": None,
        "version": 1,
    }
    await site.execute(tables.session.insert().values(**columns, signature=sign(tables.session, columns, made_up)))
    with pytest.raises(NotAuthenticated), capture_logs() as told:
        await portal.open(token, message.id)
    assert any(line["event"] == "alarm" and line["table"] == "session" for line in told)
    raw = FrameClient(site.folder / "keyholder.sock", away=KeyholderUnavailable)
    for request in ({}, {"token": None}, {"token": 7}):
        with pytest.raises((NotAuthenticated, Malformed)):
            await raw.ask("enact", enact="assign", arguments={"case": case, "person": erin}, **request)
    await raw.close()
    await portal.close()


async def test_the_operator_socket_answers_the_keyholders_own_user_only(tmp_path: Path, store_url: str) -> None:
    async with KeyedSite(tmp_path, store_url).running() as site:
        assert (site.folder / "operator.sock").stat().st_mode & 0o777 == 0o600
        assert (await site.operator.hello())["program"] == "keyholder"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")
async def test_operator_sockets_say_nothing_to_another_user_even_where_their_files_do_not_stop_one(
    tmp_path: Path, store_url: str
) -> None:
    with tempfile.TemporaryDirectory(prefix="site-") as name:
        async with KeyedSite(Path(name), store_url).running() as site:
            site.folder.chmod(0o711)
            for socket_name in ("keyholder.sock", "operator.sock", "authenticator-operator.sock"):
                (site.folder / socket_name).chmod(0o666)
            assert await asyncio.to_thread(ask_as_nobody, site.folder / "keyholder.sock")  # the portal has its own user
            for socket_name in ("operator.sock", "authenticator-operator.sock"):
                assert await asyncio.to_thread(ask_as_nobody, site.folder / socket_name) == b""
            assert (await site.operator.hello())["program"] == "keyholder"


def ask_as_nobody(path: Path) -> bytes:
    """Ask a program from a process of another user; return its answer, nothing when it closed the connection."""
    ours, theirs = socket.socketpair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child makes system calls only, no lock is waited for
        child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(20)
                asking.connect(str(path))
                theirs.sendall(b"connected")
                request = b'{"verb":"hello"}'
                with contextlib.suppress(ConnectionError):
                    asking.sendall(len(request).to_bytes(4, "big") + request)
                    theirs.sendall(asking.recv(1000))
        os._exit(0)
    theirs.close()
    os.waitpid(child, 0)
    with ours:
        said = b"".join(iter(lambda: ours.recv(1000), b""))
    assert said.startswith(b"connected")
    return said.removeprefix(b"connected")


async def test_a_client_finds_the_keyholder_again_after_it_was_away(tmp_path: Path, store_url: str) -> None:
    async with KeyedSite(tmp_path, store_url).running() as site:
        client = KeyholderClient(site.folder / "keyholder.sock")
        await client.hello()
        site.stop.set()
        async with asyncio.timeout(60):
            while True:
                try:
                    await client.hello()
                except KeyholderUnavailable:
                    break
    again = tmp_path / "again"
    again.mkdir()
    async with KeyedSite(again, store_url).running() as site:
        (again / "keyholder.sock").rename(tmp_path / "keyholder.sock")
        assert (await client.hello())["program"] == "keyholder"
        await client.close()
