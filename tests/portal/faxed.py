"""Faxes on the intake desk: taken as the line brings them, and recognised as a test says."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.casework.recognising import enter_recognition, found_of
from gateway.domain.recognition import Box, Page, Recognition, Section, SignatureField, Sort, Suggestion
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.store.intake import item
from gateway.store.recognition import proven_key, proving_key, recognition_row, seal_recognition
from tests.faxes import mail, part, tiff
from tests.papers import CONSENT, INFORMATION
from tests.portal.clerks import USER, Clerks

CONSENT_FORM, SEE_FORM = "Form 15410", "Form 8821"
SOURCE = Source("line-one")
GUESS = "Wavy 7575"
PAPERS = ("Form 15410", "Form 15410 Appendix", "Form 8821")


def fax_of(texts: Sequence[str], number: int = 1, pages: bytes = b"") -> bytes:
    """A fax mail with a page for each text; `pages` is a TIFF to send in the place of those drawn here."""
    headers = [
        f'From: "+12025550{number:03}" <fax-admin@router.example.gov>', "To: <FAX=273@gateway.example>",
        f"Subject: Fax ({len(texts)} pages)", f"Message-ID: <desk.{number}@fax.example.gov>",
    ]  # fmt: skip
    content = pages or tiff(texts)
    return mail(headers, [part('image/tiff; name="fax.tif"; application=faxbw', content)], "fax-message")


def recognised(part_path: str = "1", turns: Sequence[int] = (0, 0, 0)) -> Recognition:
    """A consent form with an appendix of one user, and an authorisation of theirs; a signature is read as a name."""
    consent = [
        Suggestion(key, value, 90, 1, Box(500, 600 + 500 * at, 5_000, 1_000 + 500 * at))
        for at, (key, value) in enumerate(CONSENT.items())
    ]
    user = {"user-name": USER["name"], "user-email": USER["address"], "user-telephone": USER["telephone"]}
    told = [Suggestion(key, value, 85, 2, Box(500, 2_000, 9_000, 2_500), 1) for key, value in user.items()]
    told.append(Suggestion("user-poa", "no", 97, 2, Box(9_000, 2_000, 9_400, 2_500), 1))
    told.append(Suggestion("user-name", GUESS, 45, 2, Box(500, 8_000, 6_000, 8_600), 2))
    seen = [Suggestion(key, value, 80, 3, Box(500, 3_000, 6_000, 3_500)) for key, value in INFORMATION.items()]
    return Recognition(
        tuple(Page(part_path, number, turn) for number, turn in enumerate(turns, 1)),
        (
            Section(
                (1, 2), Sort.FORM, CONSENT_FORM, 99, suggestions=(*consent, *told),
                signatures=(SignatureField(1, Box(500, 8_000, 6_000, 8_600), drawn=True),),
            ),
            Section((3,), Sort.FORM, SEE_FORM, 98, suggestions=tuple(seen)),
        ),
    )  # fmt: skip


async def bring(
    clerks: Clerks,
    texts: Sequence[str] = PAPERS,
    found: Recognition | None = None,
    number: int = 1,
    pages: bytes = b"",
) -> str:
    """Let a fax come, and be recognised; return its reference."""
    house = clerks.house
    intake = FaxIntake(house.database, house.blobs, house.authority, house.deposit_key)
    reference = (await intake.take(SOURCE, fax_of(texts, number, pages))).reference
    if found is not None:
        await recognise(clerks, reference, found)
    return reference


async def recognise(clerks: Clerks, reference: str, found: Recognition) -> None:
    """Put what a machine found beside a fax."""
    database = clerks.house.database
    one = await database.read(item, reference)
    row = await database.read(recognition_row, one.id)
    key = proven_key(proving_key(clerks.house.deposit_key), row)
    sealed = seal_recognition(key, row.version + 1, found)
    assert await database.run(enter_recognition, found_of(one.id, row.version + 1, sealed, found), "fax")
