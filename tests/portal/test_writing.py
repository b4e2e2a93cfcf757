from __future__ import annotations

import asyncio
import base64
import re
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from gateway.portal.uploads import UploadLimits
from gateway.store.tables import message, recipient
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
SENT = re.compile(r"/messages/(T-SM-[A-Z0-9]{4}-[A-Z0-9]{4})/sent\Z")
LIMITS = UploadLimits(files=2, octets=50_000, field_octets=5_000)


async def messages_in(house: House) -> int:
    return int(
        await house.database.read(lambda connection: connection.execute(select(func.count(message.c.id))).scalar())
    )


def reference_in(location: str) -> str:
    return SENT.match(location)[1]


def beginning(fields: dict[str, str], filename: str) -> bytes:
    """A form up to the octets of its file."""
    parts = [f'name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append(f'name="files"; filename="{filename}"\r\n\r\n')
    return "".join(f"--b\r\nContent-Disposition: form-data; {part}" for part in parts).encode()


async def test_an_answer_with_files_is_what_the_employee_reads(story: Story, berg: Browser, ines: Browser) -> None:
    story.house.woken.clear()
    picture = bytes(range(256)) * 1_000
    answer = await berg.write(
        f"/messages/{story.first}",
        "Re: Budget",
        "Here it is.\nGrüße\n> a line that looks quoted",
        [
            ("Vertrag Zürich.pdf", picture, "application/pdf"),
            ("../../evil\r\n.exe", b"MZ", "text/html"),
            ("e", b"", ""),
        ],
    )
    reference = reference_in(answer.headers["location"])
    confirmation = await berg.see(answer.headers["location"])
    assert reference in confirmation.text
    assert story.house.woken == ["notifier"]

    page = await ines.see(f"/messages/{reference}")
    assert "Here it is." in page.text
    assert "Berg Tobias &lt;berg@firm.example&gt;" in page.text
    assert "Vertrag Zürich.pdf" in page.text
    assert "3 attachments" in page.text
    first = await ines.see(f"/messages/{reference}/parts/2")
    assert first.content == picture
    assert "Vertrag%20Z%C3%BCrich.pdf" in first.headers["content-disposition"]
    second = await ines.see(f"/messages/{reference}/parts/3")
    assert second.content == b"MZ"
    assert second.headers["content-type"] == "application/octet-stream"
    assert (await ines.see(f"/messages/{reference}/parts/4")).content == b""
    assert (await ines.see(f"/messages/{reference}/parts/2", range="bytes=70000-70009")).content == picture[70000:70010]
    assert "Answer this message" in page.text


async def test_ones_own_message_is_kept_with_its_read_state(story: Story, berg: Browser, ines: Browser) -> None:
    answer = await berg.write(f"/cases/{story.case}/write", "A question", "When?")
    reference = reference_in(answer.headers["location"])
    assert "Not opened so far" in (await berg.see(f"/cases/{story.case}")).text
    assert "When?" in (await berg.see(f"/messages/{reference}")).text
    await ines.see(f"/messages/{reference}")
    listed = (await berg.see(f"/cases/{story.case}")).text.split("usa-collection__item")
    assert "Opened on" in next(item for item in listed if reference in item)
    own = await berg.see(f"/messages/{reference}")
    assert "not so far" not in own.text


async def test_employees_write_here_too(story: Story, ines: Browser, berg: Browser) -> None:
    answer = await ines.write(f"/cases/{story.case}/write", "From the office", "Hello", [("a.txt", b"a", "text/plain")])
    reference = reference_in(answer.headers["location"])
    page = await berg.see(f"/messages/{reference}")
    assert "From the office" in page.text
    copy = await berg.see(f"/messages/{reference}/copy.eml")
    assert b"From: Ines Adler <ines@agency.example>" in copy.content
    assert b"filename=a.txt" in copy.content
    assert base64.b64encode(b"a") in copy.content
    assert reference.encode() in copy.content


async def test_a_form_sent_twice_is_one_message(story: Story, berg: Browser) -> None:
    before = await messages_in(story.house)
    page = await berg.see(f"/messages/{story.first}")
    fields = {**hidden(page.text), "subject": "Once", "text": "only"}
    action = f"/cases/{story.case}/write?answers={story.first}"
    answers = await asyncio.gather(*(berg.send(action, fields, [("a", b"x" * 9_000, "a/b")]) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    later = await berg.send(action, fields)
    assert later.headers["location"] == answers[0].headers["location"]
    assert await messages_in(story.house) == before + 1


async def test_a_form_is_taken_from_our_own_page_only(story: Story, berg: Browser) -> None:
    before = await messages_in(story.house)
    page = await berg.see(f"/cases/{story.case}/write")
    fields = {**hidden(page.text), "subject": "s", "text": "t"}
    action = f"/cases/{story.case}/write"
    files = [("a", b"x" * 200_000, "a/b")]
    async with Browser(story.house) as sena:
        await sena.sign_in(story.sena)
        other = hidden((await sena.see("/cases")).text)["form_token"]
    for token in ("", "x", other):
        answer = await berg.send(action, {**fields, "form_token": token}, files)
        assert answer.status_code == 403
        assert "Nothing was sent" in answer.text
    answer = await berg.http.post(action, data=fields, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert (await berg.send(action, {**fields, "submission_key": "../x"})).status_code == 400
    assert (await berg.http.post(action, data=fields)).status_code == 400
    assert await messages_in(story.house) == before
    assert not list((story.house.folder / "blobs" / "tmp").iterdir())


async def test_what_is_missing_is_named_and_what_was_typed_stays(story: Story, berg: Browser) -> None:
    answer = await berg.write(f"/cases/{story.case}/write", " \t", "My <long> text", [("a.txt", b"x", "a/b")])
    assert answer.status_code == 422
    assert '<a href="#subject">Subject</a>' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "My &lt;long&gt; text" in answer.text
    assert "choose your files again" in answer.text
    answer = await berg.write(f"/cases/{story.case}/write", "s" * 201, " ")
    assert '<a href="#text">' in answer.text
    assert "too long" in answer.text


async def test_who_may_only_see_cannot_write(story: Story) -> None:
    async with Browser(story.house) as sena:
        await sena.sign_in(story.sena)
        page = await sena.see(f"/messages/{story.first}")
        assert page.status_code == 200
        assert "Answer" not in page.text
        assert (await sena.see(f"/cases/{story.case}/write")).status_code == 404
        assert (await sena.send(f"/cases/{story.case}/write", {"subject": "s", "text": "t"})).status_code == 404


async def test_a_closed_case_is_read_only(story: Story) -> None:
    house = story.house
    case_id, case = await house.open_case(story.ines)
    cleo = await house.add_user("Cleo Closed", [case_id])
    await house.operator.enact("close_case", case=case)
    async with Browser(house) as browser:
        await browser.sign_in(cleo)
        assert "closed" in (await browser.see(f"/cases/{case}")).text
        assert (await browser.see(f"/cases/{case}/write")).status_code == 404


async def test_an_answer_belongs_to_the_case_of_its_message(story: Story, ines: Browser) -> None:
    answer = await ines.see(f"/cases/{story.other_case}/write?answers={story.first}")
    assert answer.status_code == 404


async def test_nobody_but_its_author_sees_a_confirmation(story: Story, berg: Browser, ines: Browser) -> None:
    answer = await berg.write(f"/cases/{story.case}/write", "Mine", "x")
    assert (await ines.see(answer.headers["location"])).status_code == 404


async def test_limits_are_told_before_the_whole_is_read() -> None:
    async with open_house(limits=LIMITS) as house, Browser(house) as browser:
        story = await tell(house)
        await browser.sign_in(story.berg)
        path = f"/cases/{story.case}/write"
        before = await messages_in(house)
        many = await browser.write(path, "s", "My text", [("a", b"x", "a/b")] * 3)
        assert many.status_code == 422
        assert "at most 2 at once" in many.text
        large = await browser.write(path, "s", "My text", [("a", b"x" * 30_000, "a/b"), ("b", b"y" * 30_000, "a/b")])
        assert "too large. Please send at most 50 KB" in large.text
        announced = await browser.write(path, "s", "My text", [("a", b"x" * 3_000_000, "a/b")])
        for answer in (many, large, announced):
            assert "My text" in answer.text
        long = await browser.write(path, "s", "t" * 6_000)
        assert long.status_code == 413
        assert "too long" in long.text
        assert await messages_in(house) == before
        assert not list((house.folder / "blobs" / "tmp").iterdir())


async def test_a_sender_who_leaves_leaves_nothing(story: Story, berg: Browser) -> None:
    before = await messages_in(story.house)
    page = await berg.see(f"/cases/{story.case}/write")
    fields = {**hidden(page.text), "subject": "s", "text": "t"}
    head = beginning(fields, "a")

    async def half() -> AsyncIterator[bytes]:
        yield head + b"x" * 300_000
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await berg.http.post(
            f"/cases/{story.case}/write",
            content=half(),
            headers={"content-type": "multipart/form-data; boundary=b", "content-length": "900000"},
        )
    for _ in range(200):
        if not list((story.house.folder / "blobs" / "tmp").iterdir()):
            break
        await asyncio.sleep(0.01)
    assert not list((story.house.folder / "blobs" / "tmp").iterdir())
    assert await messages_in(story.house) == before


async def test_everyone_of_the_other_side_is_served(story: Story, berg: Browser) -> None:
    answer = await berg.write(f"/cases/{story.case}/write", "To the office", "x")
    reference = reference_in(answer.headers["location"])
    served = await story.house.database.read(
        lambda connection: (
            connection.execute(
                select(recipient.c.person_id)
                .join(message, message.c.id == recipient.c.message_id)
                .where(message.c.reference == reference)
            )
            .scalars()
            .all()
        )
    )
    assert served == [story.ines.id]


async def test_nothing_that_was_written_rests_in_the_clear(story: Story, berg: Browser, ines: Browser) -> None:
    canary = "KANARIE-9f3b7c1d5e8a"
    answer = await berg.write(
        f"/cases/{story.case}/write",
        f"subject {canary}",
        f"text {canary}",
        [(f"{canary}.pdf", canary.encode() * 9_000, "application/pdf"), ("small", canary.encode(), "text/plain")],
    )
    reference = reference_in(answer.headers["location"])
    assert canary in (await ines.see(f"/messages/{reference}")).text
    assert (await ines.see(f"/messages/{reference}/parts/2")).content == canary.encode() * 9_000
    await ines.see(f"/messages/{reference}/copy.eml")
    refused = await berg.write(f"/cases/{story.case}/write", "", canary, [(canary, canary.encode(), "")])
    assert refused.status_code == 422
    forms = [
        canary.encode(),
        canary.encode("utf-16-le"),
        base64.b64encode(canary.encode())[:20],
        canary.encode().hex().encode(),
    ]
    files = [path for path in story.house.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        octets = path.read_bytes()
        assert not [form for form in forms if form in octets], path


async def test_memory_stays_flat_whatever_the_size(story: Story, berg: Browser, ines: Browser) -> None:
    size = 40_000_000
    page = await berg.see(f"/cases/{story.case}/write")
    fields = {**hidden(page.text), "subject": "Large", "text": "t"}
    head = beginning(fields, "large.bin")

    async def body() -> AsyncIterator[bytes]:
        yield head
        for _ in range(size // 50_000):
            yield b"0123456789" * 5_000
        yield b"\r\n--b--\r\n"

    tracemalloc.start()
    try:
        answer = await berg.http.post(
            f"/cases/{story.case}/write", content=body(), headers={"content-type": "multipart/form-data; boundary=b"}
        )
        reference = reference_in(answer.headers["location"])
        received = 0
        async with ines.http.stream("GET", f"/messages/{reference}/parts/2") as download:
            async for piece in download.aiter_bytes():
                received += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert received == size
    assert peak < 12_000_000
