"""A notification is a function of its notice, whole and plain, and of nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.address import Address, parse_address
from gateway.domain.errors import Malformed, Tampered
from gateway.domain.notice import Notice, NoticeKind, NoticeState
from gateway.domain.programme import Programme
from gateway.domain.reference import ALPHABET, Reference
from gateway.outbound.notification import Draft, Renderer
from gateway.outbound.templates import Templates
from gateway.programmes import load_programme
from gateway.resources import programmes_folder, templates_folder
from tests.unit.domain.test_parcel import PARCEL

AT = datetime(2026, 3, 1, 15, 4, tzinfo=UTC)
SHIPPED = load_programme(programmes_folder() / "cwa")
COUNTY = load_programme(Path(__file__).parents[2] / "programmes" / "county")
SENDER = parse_address("notices@gateway.example")
RENDERER = Renderer(Templates(templates_folder() / "notifications", frozenset({"en", "es"})), SENDER)
EVERY = [(kind, language) for kind in NoticeKind for language in ("en", "es")]


def draft(kind: NoticeKind = NoticeKind.MESSAGE_WAITING, language: str = "en", **changes: object) -> Draft:
    fields: dict[str, object] = {
        "kind": kind,
        "language": language,
        "reference": Reference("SM", "7K2Q", "9F4T"),
        "portal": "https://gateway.example/",
        "at": AT,
        "environment": "production",
        **changes,
    }
    notice = Notice(**fields)  # type: ignore[arg-type]
    answer = Address("sm-7k2q", "gateway.example") if kind.is_answered_in_the_case else None
    return Draft(notice, parse_address("ann@agent.example"), "0123456789abcdef", answer)


def read(made: Draft, programme: Programme = SHIPPED) -> EmailMessage:
    mail = message_from_bytes(RENDERER.render(made, programme), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def words(mail: EmailMessage, subtype: str = "plain") -> str:
    body = mail.get_body((subtype,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_notification_is_valid_seven_bit_mime(kind: NoticeKind, language: str) -> None:
    octets = RENDERER.render(draft(kind, language, until=AT, count=3), SHIPPED)
    assert octets.isascii()
    assert b"\r" not in octets.replace(b"\r\n", b"")
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    mail = message_from_bytes(octets, policy=default)
    words = ["multipart/alternative", "text/plain", "text/html"]
    with_card = ["multipart/mixed", *words, "text/vcard"]
    types = [part.get_content_type() for part in mail.walk()]
    assert types == (with_card if kind is NoticeKind.CASE_ASSIGNED else words)
    assert not [defect for part in mail.walk() for defect in part.defects]
    assert not [defect for _, value in mail.items() for defect in value.defects]


@pytest.mark.parametrize("page", ["front.html", "sign_in.html"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_an_invitation_names_the_link_as_the_portal_s_pages_do(language: str, page: str) -> None:
    shown = (templates_folder() / "portal" / page).read_text("utf-8")
    link = re.search(r'<a href="/first-sign-in">{% trans %}(.+?){% endtrans %}</a>', shown)
    assert link is not None
    mail = read(draft(NoticeKind.INVITATION, language, until=AT))
    for said in (words(mail), visible(words(mail, "html"))):
        assert link[1] in " ".join(said.split())


@pytest.mark.parametrize(("language", "held"), [("en", "with its reference and the time"), ("es", "con su referencia")])
def test_a_successful_submission_names_what_the_portal_shows_of_it(language: str, held: str) -> None:
    said = " ".join(words(read(draft(NoticeKind.SUBMISSION_SUCCESSFUL, language))).split())
    assert held in said
    assert not re.search("receipt|recibo", said)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_text_and_html_each_say_all_of_it(kind: NoticeKind, language: str) -> None:
    mail = read(draft(kind, language))
    for said in (words(mail), visible(words(mail, "html"))):
        flat = " ".join(said.split())
        assert "SM-7K2Q-9F4T" in flat
        assert "https://gateway.example/" in flat
        assert re.search(r"gateway (dot|punto) example", flat)
        assert SHIPPED.words(language).telephone in flat
        assert SHIPPED.words(language).ask in flat
        assert SHIPPED.words(language).agency in flat


def test_the_announcement_of_a_case_brings_its_card_and_nothing_else_does() -> None:
    for kind in NoticeKind:
        files = list(read(draft(kind, reference=Reference("SM", "7K2Q"))).iter_attachments())
        assert len(files) == (kind is NoticeKind.CASE_ASSIGNED), kind
    (file,) = read(draft(NoticeKind.CASE_ASSIGNED, reference=Reference("SM", "7K2Q"))).iter_attachments()
    assert file.get_filename() == "SM-7K2Q.vcf"
    lines = file.get_content().splitlines()
    assert "EMAIL;TYPE=INTERNET:sm-7k2q@gateway.example" in lines
    assert "FN:SM-7K2Q" in lines
    assert not [line for line in lines if line.startswith("NOTE") and SHIPPED.words("en").sender not in line]


def test_without_an_address_to_answer_to_there_is_no_card() -> None:
    made = replace(draft(NoticeKind.CASE_ASSIGNED), reply_to=None)
    assert read(made).get_content_type() == "multipart/alternative"


def test_the_head_is_fixed() -> None:
    mail = read(draft())
    assert mail["From"] == "IRS Secure Messaging <notices@gateway.example>"
    assert mail["To"] == "ann@agent.example"
    assert mail["Subject"] == "A message is waiting for you"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"] == "<notice.0123456789abcdef@gateway.example>"
    assert mail["Date"].datetime == AT
    assert mail["Reply-To"] is None


def test_a_subject_in_another_alphabet_survives() -> None:
    mail = read(draft(NoticeKind.LEFT_IN_CLEAR, "es"))
    assert mail["Subject"] == "Su mensaje salió también como correo electrónico sin protección"
    assert mail["From"].addresses[0].display_name == "Mensajería segura del IRS"


def test_times_carry_the_month_and_the_zone() -> None:
    assert "Time: March 1, 2026, 10:04 AM EST" in words(read(draft()))
    assert "Hora: 1 de marzo de 2026, 10:04 EST" in words(read(draft(language="es")))
    assert "ends on July 4, 2026" in words(
        read(draft(NoticeKind.ACCESS_ENDING, until=datetime(2026, 7, 4, 12, tzinfo=UTC)))
    )


def test_a_meeting_is_told_in_the_person_s_zone_or_the_programme_s() -> None:
    told = {"until": datetime(2026, 5, 4, 15, 30, tzinfo=UTC), "state": NoticeState.MEETING_ARRANGED}
    assert "When: May 4, 2026, 11:30 AM EDT" in words(read(draft(NoticeKind.MEETING, **told)))
    assert "When: May 5, 2026, 12:30 AM JST" in words(read(draft(NoticeKind.MEETING, zone="Asia/Tokyo", **told)))
    assert "Cuándo: 4 de mayo de 2026, 17:30 CEST" in words(
        read(draft(NoticeKind.MEETING, "es", zone="Europe/Zurich", **told))
    )


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_sample_says_so_in_its_subject_and_in_both_bodies(kind: NoticeKind, language: str) -> None:
    mail = read(draft(kind, language, is_sample=True))
    mark, said = {
        "en": ("[SAMPLE] ", "This is a sample that somebody asked for. It concerns no one"),
        "es": ("[MUESTRA] ", "Esta es una muestra que alguien pidió. No se refiere a nadie"),
    }[language]
    assert mail["Subject"].startswith(mark)
    assert said in words(mail)
    assert said in visible(words(mail, "html"))
    real = read(draft(kind, language))
    assert not real["Subject"].startswith("[")
    assert said not in words(real) + words(real, "html")


@pytest.mark.parametrize("kind", [NoticeKind.MESSAGE_WAITING, NoticeKind.REPLY_RECEIVED, NoticeKind.REMINDER])
def test_several_messages_are_counted_in_one_notification(kind: NoticeKind) -> None:
    for language in ("en", "es"):
        one, three = (words(read(draft(kind, language, count=count))) for count in (1, 3))
        assert re.search(r"\b3 (messages|mensajes|times|veces)", three)
        assert not re.search(r"\b1 ", one.partition("\n\n")[2].partition("\n\n")[0])


@pytest.mark.parametrize("state", [NoticeState.FAX_LINE_TIME, NoticeState.OWN_TIME])
@pytest.mark.parametrize("language", ["en", "es"])
def test_an_acknowledged_fax_has_its_own_time_of_receipt_and_whose_time_that_is(
    language: str, state: NoticeState
) -> None:
    received = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    mail = read(draft(NoticeKind.SUBMISSION_RECEIVED, language, until=received, state=state))
    said = {
        ("en", NoticeState.FAX_LINE_TIME): ("November 20, 2026, 5:30 PM EST", "the time that the fax line told"),
        ("en", NoticeState.OWN_TIME): ("November 20, 2026, 5:30 PM EST", "this is when our system took the fax"),
        ("es", NoticeState.FAX_LINE_TIME): (
            "20 de noviembre de 2026, 17:30 EST",
            "la hora que indicó la línea de fax",
        ),
        ("es", NoticeState.OWN_TIME): ("20 de noviembre de 2026, 17:30 EST", "en que nuestro sistema recibió el fax"),
    }[language, state]
    for body in (words(mail), visible(words(mail, "html"))):
        for one in said:
            assert one in " ".join(body.split())


def test_a_person_may_have_notices_without_a_link() -> None:
    mail = read(draft(portal=None))
    for said in (words(mail), words(mail, "html")):
        assert "gateway.example" not in said
        assert "without a link" in said
        assert "href" not in said


def test_only_employees_are_given_an_address_to_answer_to_and_not_for_mail_from_outside() -> None:
    assert read(draft(NoticeKind.REPLY_RECEIVED))["Reply-To"] == "sm-7k2q@gateway.example"
    for kind in (NoticeKind.MESSAGE_WAITING, NoticeKind.OUTSIDE_MAIL_FILED):
        made = draft(kind)
        with pytest.raises(ValueError, match="answered in the case"):
            Draft(made.notice, made.to, made.outbox_id, Address("sm-7k2q", "gateway.example"))


def test_outside_production_everything_is_marked() -> None:
    for language, banner in (("en", "TEST (demo)"), ("es", "PRUEBA (demo)")):
        mail = read(draft(language=language, environment="demo"))
        assert mail["Subject"].startswith("[TEST] ")
        assert words(mail).startswith(banner)
        assert banner in visible(words(mail, "html"))
    assert "TEST" not in words(read(draft()))


def test_an_address_that_needs_an_international_envelope_is_refused() -> None:
    with pytest.raises(Malformed):
        Draft(draft().notice, Address("josé", "agent.example"), "0123456789abcdef")


def test_a_parcel_stands_in_the_place_of_the_words_under_the_same_head() -> None:
    made = replace(draft(NoticeKind.REPLY_RECEIVED), parcel=PARCEL)
    octets = RENDERER.render(made, SHIPPED)
    assert octets.endswith(b"\r\n" + PARCEL)
    plain = read(draft(NoticeKind.REPLY_RECEIVED))
    mail = read(made)
    assert sorted(mail.keys()) == sorted(plain.keys())
    assert [value for name, value in mail.items() if name != "Content-Type"] == [
        value for name, value in plain.items() if name != "Content-Type"
    ]
    RENDERER.verify(made, SHIPPED, octets)
    assert RENDERER.signed(made, octets) == octets


def test_the_last_check_lets_no_parcel_pass_that_could_be_read() -> None:
    made = replace(draft(NoticeKind.REPLY_RECEIVED), parcel=b"Content-Type: text/plain\r\n\r\nThe budget.\r\n")
    with pytest.raises(Tampered):
        RENDERER.verify(made, SHIPPED, RENDERER.render(made, SHIPPED))
    with pytest.raises(ValueError):
        replace(draft(NoticeKind.MESSAGE_WAITING), parcel=PARCEL)


def test_the_last_check_finds_any_changed_octet() -> None:
    made = draft()
    octets = RENDERER.render(made, SHIPPED)
    RENDERER.verify(made, SHIPPED, octets)
    for position in range(0, len(octets), 97):
        changed = bytearray(octets)
        changed[position] ^= 1
        with pytest.raises(Tampered):
            RENDERER.verify(made, SHIPPED, bytes(changed))
    with pytest.raises(Tampered):
        RENDERER.verify(draft(NoticeKind.SUBMISSION_SUCCESSFUL), SHIPPED, octets)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_html_is_made_for_every_reader(kind: NoticeKind, language: str) -> None:
    html = words(read(draft(kind, language)), "html")
    assert f'<html lang="{language}">' in html
    assert re.search(r"<title>[^<]+</title>", html)
    assert html.count("<h1") == 1
    assert set(re.findall(r'href="([^"]*)"', html)) == {"https://gateway.example/"}


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_another_programme_s_mail_has_nothing_of_the_first(kind: NoticeKind, language: str) -> None:
    mail = read(draft(kind, COUNTY.language_for(language)), COUNTY)
    told = str(mail["From"]) + str(mail["Subject"]) + words(mail) + words(mail, "html")
    assert "Lindgrove County" in told
    for word in ("IRS", "CWA", "15410", "Internal Revenue"):
        assert word not in told


def test_wording_with_marks_of_html_stays_words() -> None:
    spoken = words(read(draft(), with_agency('<b onload="x">&')), "html")
    assert "<b onload" not in spoken
    assert "&lt;b onload=" in spoken


HOSTILE = st.text(st.characters(exclude_categories=()), min_size=1, max_size=60)


@given(
    reference=st.builds(
        Reference, st.just("SM"), st.text(ALPHABET, min_size=4, max_size=4), st.text(ALPHABET, min_size=4, max_size=4)
    ),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    row=st.text("0123456789abcdef", min_size=32, max_size=32),
    kind=st.sampled_from(NoticeKind),
    language=st.sampled_from(["en", "es"]),
)
def test_notifications_differ_in_date_ids_and_reference_alone(
    reference: Reference, at: datetime, row: str, kind: NoticeKind, language: str
) -> None:
    def made(notice_reference: Reference, instant: datetime, outbox_id: str) -> str:
        notice = Notice(kind, language, notice_reference, "https://gateway.example/", instant, "production")
        sent = RENDERER.render(Draft(notice, parse_address("ann@agent.example"), outbox_id), SHIPPED)
        mail = message_from_bytes(sent, policy=default)
        assert isinstance(mail, EmailMessage)
        spoken = str(mail).replace(outbox_id, "ROW").replace(str(mail["Date"]), "DATE")
        for subtype in ("plain", "html"):
            said = words(mail, subtype).replace(str(notice_reference), "REFERENCE")
            spoken = spoken.partition("\n\n")[0] + re.sub(r"(Time|Hora): [^\n<]*", "TIME", said)
        return spoken

    assert made(reference, at, row) == made(Reference("SM", "7K2Q", "9F4T"), AT, "0" * 32)


@given(st.sampled_from(NoticeKind), HOSTILE, HOSTILE)
def test_no_field_takes_words_of_a_message(kind: NoticeKind, subject: str, name: str) -> None:
    """Whatever a message says, a field refuses it, or it is a word of the field's own narrow alphabet."""
    for field, value in (
        ("language", subject),
        ("environment", subject),
        ("portal", f"https://gateway.example/{name}"),
    ):
        try:
            draft(kind, **{field: value})
        except ValueError:
            continue
        assert re.fullmatch(r"[a-z][a-z0-9-]*", value)
    with pytest.raises(ValueError):
        NoticeState(f"{subject}\n{name}")


def test_a_notice_of_the_same_instant_is_the_same_mail() -> None:
    assert RENDERER.render(draft(), SHIPPED) == RENDERER.render(draft(), SHIPPED)
    later = draft(at=AT + timedelta(minutes=1))
    assert RENDERER.render(later, SHIPPED) != RENDERER.render(draft(), SHIPPED)


def with_agency(agency: str) -> Programme:
    spoken = {language: replace(words_, agency=agency) for language, words_ in SHIPPED.wording.items()}
    return replace(SHIPPED, wording=spoken)


def visible(html: str) -> str:
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_data = seen.append  # type: ignore[method-assign]
    parser.feed(html)
    return " ".join(" ".join(seen).split())
