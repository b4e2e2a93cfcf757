"""Mail by machines: newsletters, receipts, invitations, delivery reports, lists, replies by themselves, signed mail."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable
from random import Random

from benchmarks.screening import filler, letters, lookalikes, openpgp, parts, people, wrapped
from benchmarks.screening.letters import Letter
from benchmarks.screening.numbers import digits
from benchmarks.screening.parts import Part, hexadecimal, token


def newsletter(rng: Random) -> bytes:
    """Tables in tables, css, tracked links, a pixel, an unsubscribe footer."""
    letter = letters.letter(rng)
    link = f"https://click.{letter.writer.domain}/ls/click?upn="
    colours = [f"#{hexadecimal(rng, 6)}" for _ in range(4)]
    css = "".join(
        f".c{digits(rng, 9)}{{color:{rng.choice(colours)};width:{rng.randint(100, 999)}px;margin:0 0 {rng.randint(0, 99)}px}}\n"
        for _ in range(rng.randint(5, 40))
    )
    cells = "".join(
        f'<tr><td class="c{digits(rng, 9)}" width="{rng.randint(200, 640)}" bgcolor="{rng.choice(colours)}"><a href="{link}{token(rng, 180)}">'
        f'<img src="https://img.{letter.writer.domain}/{digits(rng, 9)}/{hexadecimal(rng, 32)}.png" width="600" alt=""></a><p>{html.escape(filler.paragraph(rng, "en"))}</p></td></tr>\n'
        for _ in range(rng.randint(2, 9))
    )
    page = (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><style>{css}@media only screen and (max-width:480px){{.m{{width:100%!important}}}}</style></head><body>'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0">{cells}</table><p style="font-size:10px">{html.escape(people.firm(rng))}, {people.street(rng)}, '
        f'{people.city(rng)}, NY {digits(rng, 5)}-{digits(rng, 4)}<br><a href="{link}{token(rng, 90)}">Unsubscribe</a></p>'
        f'<img src="https://trk.{letter.writer.domain}/o.gif?u={digits(rng, 9)}&amp;id={hexadecimal(rng, 10)}" width="1" height="1" style="display:none"></body></html>'
    )
    said = "\n\n".join(f"{filler.paragraph(rng, 'en')}\n{link}{token(rng, 60)}" for _ in range(3))
    letter.own_text = parts.multipart(
        rng, "alternative", [parts.text(rng, said, "plain"), parts.text(rng, page, "html")]
    )
    letter.fields += [f"List-Unsubscribe: <mailto:u-{digits(rng, 9)}@{letter.writer.domain}>, <{link}{token(rng, 30)}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
                      f"Feedback-ID: {digits(rng, 9)}:{digits(rng, 7)}:campaign", f"X-Campaign-Id: {digits(rng, 9)}", "Precedence: bulk"]  # fmt: skip
    return letters.octets(letter)


def receipt(rng: Random) -> bytes:
    letter = letters.letter(rng)
    rows = "".join(
        f"<tr><td>{digits(rng, 9)}</td><td>{rng.choice(['Cable', 'Strings', 'Batteries', 'Gaffer tape'])}</td><td>{people.money(rng, 900)}</td></tr>"
        for _ in range(rng.randint(1, 8))
    )
    letter.subject = f"Your order {digits(rng, 9)}"
    letter.form = "html"
    letter.raw_html.append(f"<table><tr><th>Item no.</th><th>Description</th><th>Price</th></tr>{rows}</table>")
    letter.blocks = [
        lookalikes.sentence(rng, "order"),
        lookalikes.sentence(rng, "tracking"),
        lookalikes.sentence(rng, "price"),
        f"Paid with Visa ending in {digits(rng, 4)}.",
    ]
    return letters.octets(letter)


def invitation(rng: Random) -> bytes:
    letter = letters.letter(rng)
    when = dt.datetime.combine(people.day(rng, 2025, 2026), dt.time(rng.randint(8, 18)))
    meeting = lookalikes.sentence(rng, "meeting")
    calendar = (
        "BEGIN:VCALENDAR\r\nPRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Eastern Standard Time\r\nBEGIN:STANDARD\r\n"
        "DTSTART:16010101T020000\r\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n"
        f"DTSTART;TZID=Eastern Standard Time:{when:%Y%m%dT%H%M%S}\r\nDTSTAMP:{when:%Y%m%dT%H%M%S}Z\r\nUID:040000008200E00074C5B7101A82E008{hexadecimal(rng, 48).upper()}\r\n"
        f"SUMMARY:{letter.subject}\r\nLOCATION:{people.venue(rng)}\r\nDESCRIPTION:{meeting.replace(chr(10), chr(92) + 'n')}\r\nORGANIZER;CN={letter.writer.name}:mailto:{letter.writer.address}\r\n"
        f"SEQUENCE:0\r\nX-MICROSOFT-CDO-APPT-SEQUENCE:0\r\nX-MICROSOFT-CDO-OWNERAPPTID:{rng.randint(-(10**9), 2 * 10**9)}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    letter.blocks.append(meeting)
    text = parts.text(rng, letters.body_text(letter), "plain")
    calendar_part = Part(
        ('Content-Type: text/calendar; charset="utf-8"; method=REQUEST', "Content-Transfer-Encoding: base64"),
        parts.in_base64(calendar.encode()),
    )
    letter.own_text = parts.multipart(rng, "alternative", [text, calendar_part])
    return letters.octets(letter)


def delivery_report(rng: Random) -> bytes:
    letter = letters.letter(rng)
    gone = people.person(rng)
    said = f"This is the mail system at host mx.{letter.writer.domain}.\n\nI'm sorry to have to inform you that your message could not be delivered.\n\n<{gone.address}>: host mx.{gone.domain}[{lookalikes.ORDINARY['ip'][0](rng)}] said: 550 5.1.1 unknown user"
    status = (f"Reporting-MTA: dns; mx.{letter.writer.domain}\r\nX-Postfix-Queue-ID: {token(rng, 11)}\r\nArrival-Date: Mon, 02 Feb 2026 10:{digits(rng, 1)}0:00 +0000\r\n\r\n"
              f"Final-Recipient: rfc822; {gone.address}\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown user {digits(rng, 9)}\r\n")  # fmt: skip
    returned = letters.letter(rng)
    head = letters.octets(returned).split(b"\r\n\r\n")[0] + b"\r\n"
    letter.fields.append("Auto-Submitted: auto-replied")
    letter.own_text = parts.multipart(
        rng, "report", [parts.text(rng, said, "plain"), Part(("Content-Type: message/delivery-status",), status.encode()), Part(("Content-Type: text/rfc822-headers",), head)],
        extra=";\r\n report-type=delivery-status",
    )  # fmt: skip
    return letters.octets(letter)


def mailing_list(rng: Random) -> bytes:
    letter = letters.letter(rng)
    letter.subject = f"[touring-l] {letter.subject}"
    letter.blocks += [lookalikes.sentence(rng, rng.choice(list(lookalikes.ORDINARY))) for _ in range(3)]
    letter.signature.append(
        f"_______________________________________________\ntouring-l mailing list -- touring-l@lists.example\nTo unsubscribe: https://lists.example/options/touring-l/{hexadecimal(rng, 40)}"
    )
    letter.fields += [
        "List-Id: Touring accountants <touring-l.lists.example>",
        "Precedence: list",
        f"X-Mailman-Version: 3.3.{rng.randint(1, 9)}",
    ]
    return letters.octets(letter)


def away(rng: Random) -> bytes:
    letter = letters.letter(rng)
    letter.subject = f"Automatic reply: {letter.subject}"
    letter.blocks = [
        f"I am out of the office until {people.day_text(rng, people.day(rng))}. In urgent cases call {people.telephone(rng)}."
    ]
    letter.fields += ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"]
    return letters.octets(letter)


def _signed(rng: Random, letter: Letter, protocol: str, part: Part, micalg: str) -> bytes:
    text = parts.text(rng, letters.body_text(letter), "plain", letter.language)
    letter.own_text = parts.multipart(
        rng, "signed", [text, part], extra=f';\r\n protocol="{protocol}"; micalg={micalg}'
    )
    return letters.octets(letter)


def pgp_signed(rng: Random) -> bytes:
    signature = openpgp.armour("SIGNATURE", openpgp.packet(2, b"\x04\x00\x16\x08\x00\x00" + rng.randbytes(111)))
    fields = (
        'Content-Type: application/pgp-signature; name="signature.asc"',
        "Content-Description: OpenPGP digital signature",
    )
    return _signed(
        rng,
        letters.letter(rng),
        "application/pgp-signature",
        Part(fields, parts.crlf(signature).encode()),
        "pgp-sha256",
    )


def smime_signed(rng: Random) -> bytes:
    letter = letters.letter(rng)
    wrapped.signed_detached(letter)
    return letters.octets(letter)


def git_mail(rng: Random) -> bytes:
    letter = letters.letter(rng)
    letter.form, letter.subject = "plain", f"[app] {hexadecimal(rng, 7)}: change the timeout"
    letter.blocks = [lookalikes.diff(rng), lookalikes.sentence(rng, "commit"), lookalikes.source_code(rng)]
    return letters.octets(letter)


def monitoring(rng: Random) -> bytes:
    letter = letters.letter(rng)
    letter.form, letter.subject = "plain", f"[ALERT] disk {rng.randint(80, 99)}% on web{rng.randint(1, 40)}"
    letter.blocks = [
        lookalikes.log_excerpt(rng),
        lookalikes.sentence(rng, "timestamp"),
        lookalikes.sentence(rng, "uuid"),
    ]
    letter.quoted, letter.signature = [], []
    return letters.octets(letter)


def ticket(rng: Random) -> bytes:
    letter = letters.letter(rng)
    letter.subject = f"[Ticket#{digits(rng, 9)}] {letter.subject}"
    letter.blocks.append(
        f"Ticket {digits(rng, 9)} - please keep this number in the subject.\n{lookalikes.sentence(rng, 'url')}"
    )
    return letters.octets(letter)


def booking(rng: Random) -> bytes:
    letter = letters.letter(rng)
    letter.subject = "Your flight is confirmed"
    letter.blocks = [lookalikes.sentence(rng, "flight"), f"Passenger {letter.reader.name}, frequent flyer {rng.choice(['UA', 'LH', 'BA'])} {digits(rng, 9)}",
                     lookalikes.sentence(rng, "price"), f"Seat {rng.randint(1, 44)}{rng.choice('ABCDEF')}"]  # fmt: skip
    return letters.octets(letter)


MAILS: dict[str, Callable[[Random], bytes]] = {
    "newsletter": newsletter, "receipt": receipt, "invitation": invitation, "delivery report": delivery_report, "mailing list": mailing_list, "away": away,
    "pgp signed": pgp_signed,
    "smime signed": smime_signed, "git": git_mail, "monitoring": monitoring, "ticket": ticket, "booking": booking,
}  # fmt: skip
