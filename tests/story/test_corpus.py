"""Every odd but legal mail through the real door: what the portal gives back, and what the other side may see of it."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections.abc import Collection
from dataclasses import dataclass

import pytest
import pytest_asyncio

from gateway.demo.actors import Browser
from gateway.demo.world import World
from tests.corpus.odd_mail import AUTOMATIC, ENCRYPTED, MAILS, Parties
from tests.worlds import Conversation, part_links, reference_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

# What a mail's own header block may not bring to the other side (RFC 5322 section 3.6.7, and what mail systems add).
TRACE = re.compile(
    rb"^(bcc|received|return-path|x-originating-ip|x-ms-exchange-[\w-]*|dkim-signature|user-agent|thread-topic|sender"
    rb"|reply-to|references|in-reply-to|x-[\w-]*)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
LEGAL = [name for name in MAILS if name not in ENCRYPTED | AUTOMATIC]
HIDDEN = (b"hidden.person", b"other.hidden", b"internal.agency.example", b"10.1.2.3", b"10.9.8.7")


@dataclass(frozen=True)
class Deposited:
    octets: bytes
    reference: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deposited(world: World) -> dict[str, Deposited]:
    """The whole corpus, sent over one connection."""
    return await asyncio.to_thread(_deposit_all, world)


def _deposit_all(world: World) -> dict[str, Deposited]:
    parties = Parties(world.people["dana"].address, world.case_address)
    made: dict[str, Deposited] = {}
    with Conversation(world, implicit=True) as conversation:
        for name in LEGAL:
            make = MAILS[name]
            own_id = b"Message-ID: <" + name.encode() + b"."  # two mails with one Message-ID and one body are one
            octets = make(parties).replace(b"Message-ID: <odd.", own_id, 1)
            send = conversation.send_in_chunks if name.endswith("_unended") else conversation.send
            reply = send(octets)
            assert reply.code == 250, f"{name}: {reply}"
            made[name] = Deposited(octets, reference_in(reply.text))
    return made


@pytest.mark.parametrize("name", LEGAL)
async def test_the_employee_gets_back_the_octets_that_were_sent(
    name: str, deposited: dict[str, Deposited], office: Browser
) -> None:
    one = deposited[name]
    received = await office.download(f"/messages/{one.reference}/received.eml")
    assert received == one.octets


@pytest.mark.parametrize("name", LEGAL)
async def test_both_sides_see_the_page_and_every_attachment(
    name: str, deposited: dict[str, Deposited], office: Browser, outside: Browser
) -> None:
    one = deposited[name]
    files: list[list[bytes]] = []
    for browser in (office, outside):
        page = await browser.open(f"/messages/{one.reference}")
        assert page.status == 200
        files.append(await asyncio.gather(*map(browser.download, part_links(page))))
    assert files[0] == files[1]
    plain = await outside.open(f"/messages/{one.reference}?form=html")
    assert plain.status == 200


@pytest.mark.parametrize("name", LEGAL)
async def test_the_correspondents_copy_tells_nothing_of_the_office(
    name: str, deposited: dict[str, Deposited], outside: Browser, world: World
) -> None:
    one = deposited[name]
    copy = await outside.download(f"/messages/{one.reference}/copy.eml")
    header, _, body = copy.partition(b"\r\n\r\n")
    assert not TRACE.search(header)
    assert one.reference in _subject(copy)
    for hidden in HIDDEN:
        assert hidden not in copy, hidden
    _, _, sent = one.octets.partition(b"\r\n\r\n")
    assert body == sent
    again = email.message_from_bytes(copy, policy=email.policy.compat32)
    original = email.message_from_bytes(one.octets, policy=email.policy.compat32)
    assert [part.get_content_type() for part in again.walk()] == [part.get_content_type() for part in original.walk()]
    page = (await outside.open(f"/messages/{one.reference}")).html.encode()
    for hidden in HIDDEN:
        assert hidden not in page, hidden


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("smime_clear_signed", "Not known here", "Signed with an invented card."),
        ("smime_opaque_signed", "Not known here", "Opaque."),
        ("pgp_mime_signed", "Not checked", "Signed, trailing blanks:"),
        ("pgp_inline_signed", "Not checked", "dash escaped"),
    ],
)
async def test_signed_mail_is_read_and_its_signature_told(
    name: str, words: str, text: str, deposited: dict[str, Deposited], outside: Browser
) -> None:
    page = (await outside.open(f"/messages/{deposited[name].reference}")).html
    assert words in page
    assert text in page


async def test_mail_that_is_encrypted_for_someone_is_refused_at_the_end_of_its_data(world: World) -> None:
    for name, code, text in await asyncio.to_thread(_send, world, ENCRYPTED):
        assert (code, "send it without Encrypt" in text) == (550, True), f"{name}: {text}"


def _send(world: World, names: Collection[str]) -> list[tuple[str, int, str]]:
    parties = Parties(world.people["dana"].address, world.case_address)
    with Conversation(world, implicit=True) as conversation:
        replies = {name: conversation.send(MAILS[name](parties)) for name in sorted(names)}
    return [(name, reply.code, reply.text) for name, reply in replies.items()]


async def test_automatic_mail_ends_at_the_door(world: World) -> None:
    for name, code, text in await asyncio.to_thread(_send, world, AUTOMATIC):
        assert (code, "automatic mail ends here" in text) == (250, True), f"{name}: {text}"


def _subject(octets: bytes) -> str:
    return str(email.message_from_bytes(octets, policy=email.policy.default)["Subject"])


async def test_the_octets_as_received_are_not_the_other_sides(
    deposited: dict[str, Deposited], outside: Browser
) -> None:
    page = await outside.open(f"/messages/{deposited['bcc_in_the_octets'].reference}/received.eml")
    assert page.status == 404
