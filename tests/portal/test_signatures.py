"""What a reader is told of a signed message, and that what opaque signatures wrap can be read."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from gateway.portal.openpgp import Keyring
from gateway.portal.signatures import Signatures, Trust
from tests.portal.browser import Browser
from tests.portal.conftest import Story, tell
from tests.portal.house import open_house
from tests.signing import (
    DAY,
    ENTITY,
    INES,
    MD5,
    attributes,
    card,
    der,
    detached,
    header,
    opaque,
    signed_data,
    signer,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

TODAY = dt.datetime.now(dt.UTC)
VALID = (TODAY - DAY, TODAY + DAY)
ROOT = card("Agency Root", ca=True, valid=VALID)
INES_CARD = card(issuer=ROOT, valid=VALID)
EVE_CARD = card("Eve Other", "eve@agency.example", issuer=ROOT, valid=VALID)
STRANGER = card(f"Ines Adler <{INES}>", "stranger@elsewhere.example", valid=VALID)
TRUST = Trust((ROOT.certificate,), Keyring(None))
TEXT = "The figures you asked for."


@dataclass
class Reader:
    """Berg, who reads what Ines writes."""

    story: Story
    browser: Browser

    async def reference(self, octets: bytes) -> str:
        house = self.story.house
        return await house.receive(self.story.ines, self.story.case_id, [self.story.berg], octets)

    async def page(self, octets: bytes, form: str = "") -> str:
        answer = await self.browser.see(f"/messages/{await self.reference(octets)}{form}")
        assert answer.status_code == 200
        return answer.text

    async def told(self, octets: bytes) -> list[str]:
        """The words about each signature."""
        return told(await self.page(octets))


def told(page: str) -> list[str]:
    found = re.findall(r"<dt>Signature</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", "", one)).split()) for one in found]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[Reader]:
    async with open_house(signatures=Signatures(TRUST)) as house, Browser(house) as browser:
        story = await tell(house)
        await browser.sign_in(story.berg)
        yield Reader(story, browser)


def clear(*signers: bytes, entity: bytes = ENTITY, author: str = f"Ines Adler <{INES}>", more: bytes = b"") -> bytes:
    """A whole mail, signed beside its text."""
    made = signed_data(signers or [signer(INES_CARD, entity)], [INES_CARD.octets, EVE_CARD.octets, STRANGER.octets])
    return header(author) + detached(made, entity, more=more)


def wrapped(entity: bytes = ENTITY) -> bytes:
    """An opaque entity around another."""
    return opaque(signed_data([signer(INES_CARD, entity)], [INES_CARD.octets], der(0x04, entity)))


async def test_a_good_signature_names_the_author(reader: Reader) -> None:
    page = await reader.page(clear())
    (words,) = told(page)
    assert words.startswith(f"Good S/MIME, by the author: Ines Adler <{INES}>.")
    assert "not the lines above" in words
    assert TEXT in page
    assert "usa-alert--error" not in page


async def test_a_good_signature_of_another_is_told_as_theirs_and_never_as_good(reader: Reader) -> None:
    (words,) = await reader.told(clear(signer(EVE_CARD, ENTITY)))
    assert words.startswith("Another’s S/MIME, unchanged, but not signed by the author’s address: Eve Other <eve@")
    (words,) = await reader.told(clear(author=f'"{INES}" <eve@agency.example>'))
    assert words.startswith("Another’s")


async def test_a_signature_of_somebody_unknown_makes_no_claim(reader: Reader) -> None:
    page = await reader.page(clear(signer(STRANGER, ENTITY)))
    (words,) = told(page)
    assert words.startswith(
        "Not known here S/MIME, unchanged since it was signed by somebody who gives this name: Ines Adler"
    )
    assert "stranger@elsewhere.example" in words
    assert "Nobody whom this site trusts" in words


async def test_a_changed_text_breaks_the_signature_and_is_shown_all_the_same(reader: Reader) -> None:
    page = await reader.page(clear().replace(b"figures", b"numbers"))
    (words,) = told(page)
    assert words.startswith("Broken")
    assert "Ines" not in words
    assert "A signature of this message is broken" in page
    assert "The numbers you asked for." in page


async def test_each_of_several_signers_is_told(reader: Reader) -> None:
    bad = signer(EVE_CARD, ENTITY, attrs=attributes(b"another"))
    words = await reader.told(clear(signer(INES_CARD, ENTITY), bad, signer(STRANGER, ENTITY)))
    assert [one.split()[0] for one in words] == ["Good", "Broken", "Not"]
    (words,) = await reader.told(clear(*[signer(INES_CARD, ENTITY)] * 5))
    assert "too many signatures" in words


async def test_a_signature_that_cannot_be_checked_says_why(reader: Reader) -> None:
    missing = card(issuer=ROOT, valid=VALID)
    for octets, reason in (
        (clear(signer(INES_CARD, ENTITY, digest=MD5)), "too weak, or not known"),
        (clear(signer(INES_CARD, ENTITY, attrs=attributes(ENTITY) * 2)), "broken or unusual"),
        (clear(signer(missing, ENTITY)), "did not come along"),
        (header() + detached(b"no CMS"), "broken or unusual"),
        (header() + detached(signed_data([], [])), "broken or unusual"),
        (header() + detached(b"0" * 300_000), "too large"),
        (header() + opaque(b"no CMS"), "broken or unusual"),
        (clear().replace(b"pkcs7-signature", b"pgp-signature"), "broken or unusual"),
    ):
        (words,) = await reader.told(octets)
        assert words.startswith("Not checked"), words
        assert reason in words


async def test_a_content_within_a_detached_signature_is_not_taken_for_the_text(reader: Reader) -> None:
    """The signature holds for the content that it brings along, while the reader sees another."""
    made = signed_data([signer(INES_CARD, ENTITY)], [INES_CARD.octets], der(0x04, ENTITY))
    (words,) = await reader.told(header() + detached(made, ENTITY.replace(b"figures", b"numbers")))
    assert words.startswith("Not checked")


async def test_a_part_put_between_text_and_signature_is_not_covered(reader: Reader) -> None:
    more = b"--=_s\r\nContent-Type: text/plain\r\n\r\nPay to another account.\r\n"
    (words,) = await reader.told(clear(more=more))
    assert words.startswith("Not checked")


def opaque_beside() -> bytes:
    """A whole mail: an opaque part behind a text that nobody signed."""
    return header() + OUTER + EVIL + b"--out\r\n" + wrapped() + b"\r\n--out--\r\n"


OUTER = b"Content-Type: multipart/mixed; boundary=out\r\n\r\n"
EVIL = b"--out\r\nContent-Type: text/plain\r\n\r\nPay to another account.\r\n"


async def test_text_before_or_behind_a_signed_part_is_told(reader: Reader) -> None:
    signed = b"--out\r\n" + detached(signed_data([signer(INES_CARD, ENTITY)], [INES_CARD.octets])) + b"\r\n"
    before = await reader.page(header() + OUTER + EVIL + signed + b"--out--\r\n")
    (words,) = told(before)
    assert words.startswith("Good for a part")
    assert "does not cover all of the text below" in words
    assert "covers a part of this message only" in before
    assert "Pay to another account." in before
    behind = await reader.page(header() + OUTER + signed + EVIL + b"--out--\r\n")
    (words,) = told(behind)
    assert words.startswith("Good for a part")
    assert "covers the text, and not everything beside it" in words


async def test_an_unsigned_form_beside_a_signed_one_is_told(reader: Reader) -> None:
    html_form = b"--out\r\nContent-Type: text/html\r\n\r\n<p>Pay to another account.</p>\r\n"
    signed = b"--out\r\n" + detached(signed_data([signer(INES_CARD, ENTITY)], [INES_CARD.octets])) + b"\r\n"
    octets = header() + OUTER.replace(b"mixed", b"alternative") + signed + html_form + b"--out--\r\n"
    for form in ("", "?form=html"):
        (words,) = told(await reader.page(octets, form))
        assert words.startswith("Good for a part")
        assert "does not cover all of the text below" in words


async def test_signatures_of_attached_messages_are_not_those_of_the_message(reader: Reader) -> None:
    octets = header() + OUTER + EVIL + b"--out\r\nContent-Type: message/rfc822\r\n\r\n" + clear() + b"\r\n--out--\r\n"
    assert await reader.told(octets) == []


async def test_what_an_opaque_signature_wraps_is_read_like_any_mail(reader: Reader) -> None:
    inner = (
        b"Content-Type: multipart/mixed; boundary=in\r\n\r\n"
        b"--in\r\n" + ENTITY + b"\r\n--in\r\n"
        b'Content-Type: application/pdf; name="List.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        b"MDEyMzQ1Njc4OQ==\r\n--in--\r\n"
    )
    entity = wrapped(inner)
    reference = await reader.reference(header() + entity)
    page = (await reader.browser.see(f"/messages/{reference}")).text
    (words,) = told(page)
    assert words.startswith("Good S/MIME, by the author")
    assert TEXT in page
    assert "This message has no text" not in page
    link = re.search(r'href="([^"]+)" download>List.pdf<', page)
    assert link is not None
    answer = await reader.browser.see(link[1])
    assert (answer.content, answer.headers["content-type"]) == (b"0123456789", "application/pdf")
    part = await reader.browser.see(link[1], range="bytes=3-5")
    assert (part.status_code, part.content) == (206, b"345")
    assert ">smime.p7m<" in page
    copy = (await reader.browser.see(f"/messages/{reference}/copy.eml")).content
    assert copy.partition(b"\r\n\r\n")[2] == entity.partition(b"\r\n\r\n")[2]
    assert b"application/pkcs7-mime; smime-type=signed-data" in copy.partition(b"\r\n\r\n")[0]


async def test_a_changed_opaque_content_is_broken_and_shown(reader: Reader) -> None:
    made = signed_data([signer(INES_CARD, ENTITY)], [INES_CARD.octets], der(0x04, ENTITY))
    page = await reader.page(header() + opaque(made.replace(b"figures", b"numbers")))
    (words,) = told(page)
    assert words.startswith("Broken")
    assert "The numbers you asked for." in page


async def test_signatures_within_signatures_are_all_told_and_the_innermost_text_shown(reader: Reader) -> None:
    page = await reader.page(header() + wrapped(wrapped(wrapped())))
    assert [one.split()[0] for one in told(page)] == ["Good", "Good", "Good"]
    assert TEXT in page
    inner = detached(signed_data([signer(EVE_CARD, ENTITY)], [EVE_CARD.octets]))
    page = await reader.page(header() + wrapped(inner))
    assert [one.split()[0] for one in told(page)] == ["Good", "Another’s"]
    assert TEXT in page
    deep = ENTITY
    for _ in range(6):
        deep = wrapped(deep)
    page = await reader.page(header() + deep)
    assert len(told(page)) == 3
    assert ">smime.p7m<" in page


async def test_an_opaque_part_beside_a_text_is_shown_as_a_part_of_its_own(reader: Reader) -> None:
    page = await reader.page(opaque_beside())
    (words,) = told(page)
    assert words.startswith("Good for a part")
    assert "does not cover all of the text below" in words
    assert "Inside of smime.p7m" in page
    assert page.index("Pay to another account.") < page.index(TEXT)


async def test_certificates_alone_are_no_signature(reader: Reader) -> None:
    octets = header() + opaque(signed_data([], [INES_CARD.octets])).replace(b"signed-data", b"certs-only")
    assert await reader.told(octets) == []


async def test_nothing_is_inside_of_a_part_that_wraps_nothing(reader: Reader) -> None:
    reference = await reader.reference(clear())
    for path in ("1/inside/1", "2/inside/1", "9/inside/1", "1/inside/x"):
        assert (await reader.browser.see(f"/messages/{reference}/parts/{path}")).status_code == 404
    reference = await reader.reference(header() + wrapped())
    assert (await reader.browser.see(f"/messages/{reference}/parts/1/inside/1")).status_code == 200
    assert (await reader.browser.see(f"/messages/{reference}/parts/1/inside/2")).status_code == 404


async def test_openpgp_without_a_keyring_says_so(reader: Reader) -> None:
    armour = (
        b"-----BEGIN PGP SIGNATURE-----\r\n\r\niHUEARYIAB0WIQQIta+3twANOCKCq6WSIRaYqRORbgUCawJ05QAKCRCSIRaYqROR\r\n"
        b"bv0nAQC4E9z1GP8G62grqAakDeAyUw3nQX9q3d1wQmy51ZtfvwEAqm62ykOkNYq4\r\n8jprZv3BHIJpfoApl1RqblIddqjo+gk=\r\n"
        b"-----END PGP SIGNATURE-----\r\n"
    )
    text = b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nGuten Tag\r\n" + armour
    (words,) = await reader.told(header() + b"Content-Type: text/plain\r\n\r\n" + text)
    assert words == "Not checked OpenPGP: this site has no keys to check it with."


@pytest.mark.parametrize(
    ("signatures", "entity", "has_text"),
    [
        (Signatures(TRUST, check_seconds=-1), clear(), True),
        (Signatures(TRUST, look_seconds=0), clear(), True),
        (Signatures(TRUST, look_seconds=0), header() + wrapped(), False),
    ],
    ids=["a late check", "a late look", "a late look at what is wrapped"],
)
async def test_what_is_not_done_in_time_is_told_without_a_claim(
    signatures: Signatures, entity: bytes, has_text: bool
) -> None:
    async with open_house(signatures=signatures) as house, Browser(house) as browser:
        story = await tell(house)
        await browser.sign_in(story.berg)
        page = await Reader(story, browser).page(entity)
    (words,) = told(page)
    assert words.startswith("Not checked")
    assert "was not done in time" in words
    assert (TEXT in page) == has_text
    assert ("could not be read in time" in page) != has_text
