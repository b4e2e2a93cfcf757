"""Sheets of a programme's forms in several editions, filled in for invented people; cover sheets, letters, attachments."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random

import segno
import zxingcpp
from PIL import Image

from benchmarks.recognition.paper import HEIGHT, WIDTH, Paper, Style, Truth
from benchmarks.screening import filler, numbers, people
from gateway.domain.reference import Reference, random_part

Sheet = tuple[Image.Image, Truth]
_EDITIONS = ("January 2021", "6-2023", "September 2024", "1-2026", "March 2025")
_AGENCY = "Department of the Treasury Internal Revenue Service"


def _paper(rng: Random, style: Style, kind: str, *, is_first: bool = True) -> Paper:
    return Paper(rng, style, Truth(kind, is_first))


def _head(paper: Paper, form: str, title: str, edition: str) -> None:
    """The top of a first page: the form's number, its title, who issues it."""
    rng, size = paper.rng, paper.rng.randint(34, 44)
    left, top = paper.left, paper.down
    way = rng.randrange(3)
    if way == 0:  # number left, title in the middle, a box at the right
        end = paper.text(left, top + 10, "Form", 22)
        paper.text(end + 10, top, form, size + 12, bold=True)
        paper.text(left, top + 62, f"(Rev. {edition})", 20)
        for at, line in enumerate(paper.wrapped(title, paper.width // 2, size, bold=True)):
            paper.text(left + paper.width // 4, top + at * int(size * 1.2), line, size, bold=True)
        paper.text(paper.right - 260, top + 10, "OMB No. 1545-0150", 20)
        paper.text(left, top + 92, _AGENCY[:26], 18)
        down = 130
    elif way == 1:  # all in the middle
        lines = [_AGENCY, title, f"Form {form} (Rev. {edition})"]
        down = 0
        for at, words in enumerate(lines):
            sized = size if at == 1 else 22
            for line in paper.wrapped(words, paper.width - 40, sized, bold=at == 1):
                paper.text(
                    left + (paper.width - paper.length(line, sized, bold=at == 1)) // 2,
                    top + down,
                    line,
                    sized,
                    bold=at == 1,
                )
                down += int(sized * 1.35)
    else:  # a frame round number and title
        lines = paper.wrapped(title, paper.width - 420, size, bold=True)
        down = max(len(lines) * int(size * 1.25), 96) + 16
        paper.frame(left, top, paper.right, top + down)
        paper.line(left + 330, top, left + 330, top + down)
        paper.text(left + 14, top + 12, f"Form {form}", 40, bold=True)
        paper.text(left + 14, top + 64, f"(Rev. {edition})", 20)
        for at, line in enumerate(lines):
            paper.text(left + 350, top + 10 + at * int(size * 1.25), line, size, bold=True)
    paper.down = top + down + 16


def _later(paper: Paper, form: str, edition: str, page: int) -> None:
    paper.text(paper.left, paper.down, f"Form {form} (Rev. {edition})", 20)
    paper.text(paper.right - 120, paper.down, f"Page {page}", 20)
    paper.down += 40
    paper.line(paper.left, paper.down, paper.right, paper.down)
    paper.down += 10


def _foot(paper: Paper, form: str, edition: str) -> None:
    paper.text(
        paper.left, HEIGHT - 110 + paper.style.top // 2, f"Catalog Number {paper.rng.randint(10000, 99999)}X", 18
    )
    paper.text(paper.right - 330, HEIGHT - 110 + paper.style.top // 2, f"Form {form} (Rev. {edition})", 18, bold=True)


def _address(rng: Random) -> str:
    return f"{people.street(rng)}, {people.city(rng)}, {rng.randint(10000, 99999)}"


def _day(rng: Random) -> str:
    day = people.day(rng, 2025, 2026)
    return rng.choice([f"{day:%m/%d/%Y}", f"{day:%B} {day.day}, {day.year}", f"{day.month}/{day.day}/{day.year}"])


def _number(rng: Random, size: int = 9) -> str:
    return numbers.digits(rng, size)


def _name(rng: Random) -> people.Person:
    return people.person(rng, rng.choice(["US", "US", "GB", "CA", "AU"]))


def _sign(paper: Paper, label: str, others: tuple[str, ...], *, dated: str = "") -> None:
    """A line to sign on with its label below, or before it; beside it the day and the name in print."""
    rng, top = paper.rng, paper.down
    signed = rng.random() < 0.8
    paper.truth.signed = signed
    foot = top + 96
    middle = paper.left + int(paper.width * 0.58)
    if rng.random() < 0.6:  # labels below the line
        paper.line(paper.left, foot, middle - 20, foot)
        paper.line(middle, foot, paper.right, foot)
        paper.text(paper.left + 4, foot + 6, label)
        paper.text(middle + 4, foot + 6, others[0])
    else:
        end = paper.text(paper.left + 4, foot - 26, label)
        paper.line(end + 8, foot, middle - 20, foot)
        other = paper.text(middle + 4, foot - 26, others[0])
        paper.line(other + 8, foot, paper.right, foot)
    if signed:
        paper.signature(paper.left + 190, middle - 30, foot - 2)
        written = paper.length(others[0]) + 30
        paper.text(middle + written, foot - int(paper.style.value * 1.25), dated, pen=True)
    paper.down = foot + 46
    if len(others) > 1:
        paper.row(*((one, "", "") for one in others[1:]))


def consent(rng: Random) -> list[Sheet]:
    """The agreement of a firm with those who may see and act for it, and its appendix."""
    form, edition, style, who = "15410", rng.choice(_EDITIONS), Style.any(rng), _name(rng)
    paper = _paper(rng, style, form)
    _head(paper, form, "Taxpayer Agreement and Disclosure Authorization to Designated Users", edition)
    paper.paragraph(filler.paragraph(rng, "en", rng.randint(1, 2)))
    paper.row(
        (
            rng.choice(["Legal name of withholding agent", "Name of withholding agent (legal name)"]),
            who.firm,
            "agent-name",
        )
    )
    paper.combed(
        rng.choice(["Taxpayer identification number", "Taxpayer Identification Number (TIN)"]),
        _number(rng),
        "agent-tin",
        (2, 7),
    )
    paper.row(("Address (number, street, city, state, ZIP code)", _address(rng), "agent-address"))
    paper.row(
        ("Matter or case", f"Tour {people.city(rng)} {rng.randint(2025, 2027)}", "matter"),
        (
            rng.choice(["E-mail address for notifications", "Notification e-mail address"]),
            who.address,
            "notification-address",
        ),
    )
    paper.row(
        ("Version of the Terms of Service", f"{rng.randint(1, 4)}.{rng.randint(0, 9)}", "terms-version"),
        ("Telephone number", people.telephone(rng, "US"), ""),
    )
    paper.heading("Agreement")
    for _ in range(rng.randint(2, 6)):
        paper.paragraph(filler.paragraph(rng, "en", rng.randint(2, 4)))
    _sign(paper, "Signature", ("Date", "Print name", "Title"), dated=_day(rng))
    _foot(paper, form, edition)
    return [(paper.image, paper.truth), _appendix(rng, form, edition, style)]


def _appendix(rng: Random, form: str, edition: str, style: Style) -> Sheet:
    paper = _paper(rng, style, form, is_first=False)
    _later(paper, form, edition, 2)
    paper.text(
        paper.left,
        paper.down + 6,
        rng.choice(
            ["Appendix - Designated Users", "Appendix: List of Designated Users", "Appendix A  Designated Users"]
        ),
        34,
        bold=True,
    )
    paper.down += 66
    paper.paragraph(
        "Complete one line for each person. Check the POA box when a signed authorization is attached."
        if rng.random() < 0.7
        else filler.sentence(rng, "en")
    )
    users = [(_name(rng), people.telephone(rng, "US"), rng.random() < 0.5) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.65:
        _user_table(paper, users)
    else:
        for number, (who, telephone, poa) in enumerate(users, 1):
            paper.heading(f"Designated user {number}")
            paper.row(("Name", who.name, ""), ("E-mail address", who.address, ""))
            top = paper.down + 8
            paper.row(("Telephone number", telephone, ""), shares=(0.5,))
            below, paper.down = paper.down, top
            paper.tick(
                "POA",
                "user-poa",
                ticked=poa,
                after=rng.random() < 0.5,
                left=paper.left + int(paper.width * 0.6),
                row=number,
            )
            paper.down = below + 14
            paper.truth.values += [
                ("user-name", number, who.name),
                ("user-email", number, who.address),
                ("user-telephone", number, telephone),
            ]
    return paper.image, paper.truth


def _user_table(paper: Paper, users: list[tuple[people.Person, str, bool]]) -> None:
    rng = paper.rng
    heads = [
        rng.choice(["Name", "Name of designated user"]),
        rng.choice(["E-mail address", "Email"]),
        rng.choice(["Telephone number", "Telephone"]),
        rng.choice(["POA", "POA box"]),
    ]
    edges = [paper.left, *(paper.left + int(paper.width * share) for share in (0.33, 0.66, 0.87)), paper.right]
    high, rows = rng.randint(64, 84), len(users) + rng.randint(0, 3)
    for at, head in enumerate(heads):
        paper.frame(edges[at], paper.down, edges[at + 1], paper.down + 50)
        paper.text(edges[at] + 10, paper.down + 12, head, bold=rng.random() < 0.5)
    paper.down += 50
    size = min(paper.style.value, 29)
    for row in range(rows):
        for at in range(4):
            paper.frame(edges[at], paper.down, edges[at + 1], paper.down + high)
        side = rng.randint(26, 36)
        left = (edges[3] + edges[4] - side) // 2
        ticked = False
        if row < len(users):
            who, telephone, ticked = users[row]
            for at, value in enumerate((who.name, who.address, telephone)):
                while paper.length(value, size, pen=True) > edges[at + 1] - edges[at] - 16 and size > 18:
                    size -= 1
                paper.text(edges[at] + 9, paper.down + high // 2 - size // 2 - 4, value, size, pen=True)
            paper.truth.ticks.append(("user-poa", row + 1, ticked))
            paper.truth.values += [
                ("user-name", row + 1, who.name),
                ("user-email", row + 1, who.address),
                ("user-telephone", row + 1, telephone),
            ]
        paper.box(left, paper.down + (high - side) // 2, side, ticked=ticked)
        paper.down += high


def _person_block(paper: Paper, name: str, row: int, copies: bool | None) -> None:
    """A representative or designee: name and address at the left, numbers at the right."""
    rng, who = paper.rng, _name(paper.rng)
    caf, high = (f"{numbers.digits(rng, 4)}-{numbers.digits(rng, 5)}R" if rng.random() < 0.8 else "None"), 4 * 40 + 16
    middle = paper.left + int(paper.width * 0.58)
    top = paper.down
    paper.frame(paper.left, top, middle, top + high)
    paper.frame(middle, top, paper.right, top + high)
    paper.text(paper.left + 8, top + 5, "Name and address")
    paper.text(paper.left + 20, top + 34, paper.fitting(who.name, middle - paper.left - 40), pen=True)
    paper.text(
        paper.left + 20,
        top + 78,
        paper.fitting(_address(rng), middle - paper.left - 40),
        min(paper.style.value, 28),
        pen=True,
    )
    telephone = people.telephone(rng, "US")
    told = (
        ("CAF No.", caf),
        ("PTIN", f"P{numbers.digits(rng, 8)}"),
        ("Telephone No.", telephone),
        ("Fax No.", people.telephone(rng, "US")),
    )
    for at, (label, value) in enumerate(told):
        foot = top + 44 + at * 40
        end = paper.text(middle + 10, foot - 26, label)
        paper.line(end + 8, foot, paper.right - 12, foot)
        paper.text(end + 16, foot - 32, value, 28, pen=True)
    paper.truth.values += (
        [(name, row, who.name), ("caf-number", row, caf)] if name == "representative-name" else [(name, row, who.name)]
    )
    paper.down = top + high
    if copies is not None:
        paper.down += 6
        paper.tick(
            "Check if to be sent copies of notices and communications",
            "copies",
            ticked=copies,
            after=rng.random() < 0.6,
            row=row,
        )


def _matters(paper: Paper, heads: tuple[str, ...]) -> None:
    rng = paper.rng
    edges = [paper.left + paper.width * at // len(heads) for at in range(len(heads) + 1)]
    for at, head in enumerate(heads):
        lines = paper.wrapped(head, edges[at + 1] - edges[at] - 16, 19)
        for number, line in enumerate(lines[:3]):
            paper.text(edges[at] + 8, paper.down + 4 + number * 24, line, 19)
        paper.frame(edges[at], paper.down, edges[at + 1], paper.down + 80)
    paper.down += 80
    for _ in range(3):
        filled = rng.random() < 0.5
        values = (
            "Income",
            rng.choice(["1040-NR", "1042", "13930"]),
            f"{rng.randint(2022, 2024)}-{rng.randint(2025, 2027)}",
            "",
        )
        for at in range(len(heads)):
            paper.frame(edges[at], paper.down, edges[at + 1], paper.down + 54)
            paper.text(edges[at] + 12, paper.down + 10, values[at] if filled else "", 28, pen=True)
        paper.down += 54


def power(rng: Random) -> list[Sheet]:
    """A power of attorney, of two pages."""
    form, edition, style = "2848", rng.choice(_EDITIONS), Style.any(rng)
    paper = _paper(rng, style, form)
    _head(paper, form, "Power of Attorney and Declaration of Representative", edition)
    paper.heading("Part I  Power of Attorney")
    paper.paragraph(
        "Caution: A separate Form 2848 must be completed for each taxpayer. Form 2848 will not be honored for any purpose other than representation before the IRS.",
        19,
    )
    paper.heading("1  Taxpayer information. Taxpayer must sign and date this form on page 2, line 7.")
    paper.row(("Taxpayer name and address", f"{people.firm(rng)}, {people.city(rng)}", "taxpayer"))
    paper.combed("Taxpayer identification number(s)", _number(rng), "taxpayer-tin", (3, 2, 4))
    paper.row(("Daytime telephone number", people.telephone(rng, "US"), ""), ("Plan number (if applicable)", "", ""))
    paper.text(
        paper.left, paper.down + 4, "hereby appoints the following representative(s) as attorney(s)-in-fact:", 20
    )
    paper.down += 34
    paper.heading("2  Representative(s) must sign and date this form on page 2, Part II.")
    for row in range(1, rng.randint(1, 3) + 1):
        _person_block(paper, "representative-name", row, rng.random() < 0.5 if row < 3 else None)
    paper.heading("3  Acts authorized. You are required to complete line 3.")
    _matters(
        paper,
        (
            "Description of Matter (Income, Employment, Payroll, Excise, Estate, Gift)",
            "Tax Form Number (1040, 941, 720, etc.) (if applicable)",
            "Year(s) or Period(s) (if applicable)",
        ),
    )
    paper.down += 10
    paper.tick(
        "4  Specific use not recorded on the Centralized Authorization File (CAF). Check this box",
        "specific-use",
        ticked=rng.random() < 0.4,
        after=True,
    )
    paper.paragraph(
        "5a  Additional acts authorized. In addition to the acts listed on line 3 above, I authorize my representative(s) to perform the following acts.",
        19,
    )
    for _ in range(rng.randint(0, 3)):
        paper.paragraph(filler.paragraph(rng, "en", 3), 19)
    _foot(paper, form, edition)
    return [(paper.image, paper.truth), _power_second(rng, form, edition, style)]


def _power_second(rng: Random, form: str, edition: str, style: Style) -> Sheet:
    paper = _paper(rng, style, form, is_first=False)
    _later(paper, form, edition, 2)
    paper.row(
        ("b  Specific acts not authorized", rng.choice(["", "Endorse or negotiate a check"]), "acts-not-authorised")
    )
    paper.down += 12
    paper.paragraph(
        "6  Retention/revocation of prior power(s) of attorney. The filing of this power of attorney automatically revokes all earlier power(s) of attorney on file.",
        19,
    )
    paper.tick(
        "If you do not want to revoke a prior power of attorney, check here",
        "revokes",
        ticked=rng.random() < 0.3,
        after=True,
    )
    paper.paragraph(
        "7  Taxpayer declaration and signature. If a tax matter concerns a year in which a joint return was filed, each spouse must file a separate power of attorney.",
        19,
    )
    _sign(paper, "Signature", ("Date", "Title (if applicable)", "Print name"), dated=_day(rng))
    paper.heading("Part II  Declaration of Representative")
    paper.paragraph("Under penalties of perjury, by my signature below I declare that:", 19)
    for words in (
        "I am not currently suspended or disbarred from practice before the Internal Revenue Service;",
        "I am subject to regulations in Circular 230, as amended;",
        "I am authorized to represent the taxpayer identified in Part I for the matter(s) specified there; and",
    ):
        paper.paragraph(words, 18)
    for letter, words in zip(
        "abcdefgh",
        (
            "Attorney",
            "Certified Public Accountant",
            "Enrolled Agent",
            "Officer",
            "Full-Time Employee",
            "Family Member",
            "Enrolled Actuary",
            "Unenrolled Return Preparer",
        ),
        strict=True,
    ):
        paper.text(paper.left + 20, paper.down, f"{letter}  {words}", 18)
        paper.down += 26
    edges = [paper.left + int(paper.width * share) for share in (0, 0.16, 0.4, 0.66, 0.86, 1)]
    heads = ("Designation", "Licensing jurisdiction", "License number", "Signature", "Date")
    for at, head in enumerate(heads):
        paper.frame(edges[at], paper.down, edges[at + 1], paper.down + 40)
        paper.text(edges[at] + 6, paper.down + 8, head, 18)
    paper.down += 40
    values = (rng.choice("abc"), rng.choice(["NY", "CA", "TX", "FL"]), numbers.digits(rng, 6), "", _day(rng))
    for at, value in enumerate(values):
        paper.frame(edges[at], paper.down, edges[at + 1], paper.down + 60)
        paper.text(edges[at] + 10, paper.down + 14, value, 26, pen=True)
    return paper.image, paper.truth


def disclosure(rng: Random) -> list[Sheet]:
    """An authorization to see tax information."""
    form, edition, style = "8821", rng.choice(_EDITIONS), Style.any(rng)
    paper = _paper(rng, style, form)
    _head(paper, form, "Tax Information Authorization", edition)
    paper.paragraph(
        "Do not sign this form unless all applicable lines have been completed. Do not use this form to request a copy or transcript of your tax return.",
        19,
    )
    paper.heading("1  Taxpayer information. Taxpayer must sign and date this form on line 6.")
    paper.row(("Taxpayer name and address", f"{people.firm(rng)}, {people.city(rng)}", "taxpayer"))
    paper.combed("Taxpayer identification number(s)", _number(rng), "taxpayer-tin", rng.choice([(3, 2, 4), (2, 7)]))
    paper.row(("Daytime telephone number", people.telephone(rng, "US"), ""), ("Plan number (if applicable)", "", ""))
    paper.heading("2  Designee(s). If you wish to name more than two designees, attach a list to this form.")
    for row in range(1, rng.randint(1, 2) + 1):
        _person_block(paper, "designee", row, None)
    paper.heading(
        "3  Tax information. Each designee is authorized to inspect and/or receive confidential tax information."
    )
    _matters(
        paper,
        (
            "(a) Type of Tax Information (Income, Employment, Excise)",
            "(b) Tax Form Number (1040, 941, 720, etc.)",
            "(c) Year(s) or Period(s)",
            "(d) Specific Tax Matters",
        ),
    )
    paper.down += 10
    paper.tick(
        "4  Specific use not recorded on the Centralized Authorization File (CAF). Check this box",
        "specific-use",
        ticked=rng.random() < 0.4,
        after=True,
    )
    paper.tick(
        "5  Retention of prior tax information authorizations. Check this box and attach copies",
        "copies-attached",
        ticked=rng.random() < 0.4,
        after=True,
    )
    paper.paragraph(
        "6  Taxpayer signature. If signed by a corporate officer, partner, guardian, executor, receiver, administrator, trustee, or individual other than the taxpayer, I certify that I have the authority to execute this form.",
        19,
    )
    _sign(paper, "Signature", ("Date", "Print Name", "Title (if applicable)"), dated=_day(rng))
    _foot(paper, form, edition)
    return [(paper.image, paper.truth)]


def application(rng: Random, *, small: bool = False) -> list[Sheet]:
    """An application for an agreement, the long one of two pages or the short one."""
    form = "13930-A" if small else "13930"
    edition, style, who = rng.choice(_EDITIONS), Style.any(rng), _name(rng)
    paper = _paper(rng, style, form)
    title = "Application for Central Withholding Agreement"
    _head(
        paper,
        form,
        f"{title} {rng.choice(['Less than $10,000', '(Income less than $10,000)'])}" if small else title,
        edition,
    )
    paper.paragraph(filler.paragraph(rng, "en", 1), 19)
    paper.heading("Part 1  Nonresident alien applicant")
    paper.row(
        ("Name of nonresident alien", who.name, "applicant-name"),
        ("Date of birth (mm/dd/yyyy)", f"{people.birthday(rng):%m/%d/%Y}", "birth-date"),
    )
    paper.combed(
        rng.choice(["SSN or ITIN", "Social security number or ITIN"]), _number(rng), "applicant-tin", (3, 2, 4)
    )
    paper.row(
        (
            rng.choice(["Passport number and country", "Passport number and country of issue"]),
            f"{numbers.digits(rng, 8)} {rng.choice(['Canada', 'Ireland', 'Spain'])}",
            "passport",
        ),
        ("Country of residence", rng.choice(["Canada", "Ireland", "Spain"]), ""),
    )
    paper.heading("Part 2  Withholding agent")
    paper.row(
        (
            rng.choice(["Withholding agent and contact person", "Name of withholding agent and contact"]),
            people.firm(rng),
            "agent",
        )
    )
    paper.row(("Telephone number", people.telephone(rng, "US"), ""), ("E-mail address", who.address, ""))
    if small:
        _events(paper, 3)
        paper.paragraph(
            "Under penalties of perjury, I declare that I have examined this application and to the best of my knowledge it is true, correct and complete.",
            19,
        )
        _sign(paper, "Signature of applicant", ("Date", "Print name"), dated=_day(rng))
        _foot(paper, form, edition)
        return [(paper.image, paper.truth)]
    _events(paper, 4)
    paper.heading("Part 4  Budget")
    for label in (
        "Estimated gross income",
        "Estimated expenses: travel",
        "Estimated expenses: production and crew",
        "Agent and manager commissions",
    ):
        paper.row((label, people.dollars(rng), ""), ("Amount claimed", people.dollars(rng), ""))
    _foot(paper, form, edition)
    second = _paper(rng, style, form, is_first=False)
    _later(second, form, edition, 2)
    second.heading("Part 5  Applicant declaration")
    second.paragraph(
        "Under penalties of perjury, I declare that I have examined this application and to the best of my knowledge it is true, correct and complete.",
        20,
    )
    for _ in range(rng.randint(1, 3)):
        second.paragraph(filler.paragraph(rng, "en", 2))
    _sign(second, "Signature of applicant", ("Date", "Print name"), dated=_day(rng))
    return [(paper.image, paper.truth), (second.image, second.truth)]


def _events(paper: Paper, count: int) -> None:
    rng = paper.rng
    paper.heading("Part 3  Itinerary of events")
    heads = ("Date of event", "Venue", "City and state", "Gross income")
    edges = [paper.left + int(paper.width * share) for share in (0, 0.2, 0.52, 0.78, 1)]
    for row in range(count + 1):
        high = 40 if row == 0 else 54
        for at in range(4):
            paper.frame(edges[at], paper.down, edges[at + 1], paper.down + high)
        told = (
            heads
            if row == 0
            else (f"{people.day(rng):%m/%d/%Y}", people.venue(rng), people.city(rng), people.dollars(rng))
        )
        for at, value in enumerate(told):
            fits = value[: max((edges[at + 1] - edges[at]) // 18, 4)]
            paper.text(edges[at] + 8, paper.down + 8, fits if row else value, 0 if row == 0 else 26, pen=row > 0)
        paper.down += high


def cover(rng: Random) -> list[Sheet]:
    """A cover sheet of ours: a code with a reference."""
    paper = _paper(rng, Style.any(rng), "cover-sheet")
    told = str(Reference("CS", random_part(rng.randrange), random_part(rng.randrange)))
    paper.truth.reference = told
    paper.text(paper.left, paper.down + 60, "Fax cover sheet", 54, bold=True)
    paper.down += 170
    paper.paragraph("Send this sheet as the first page, and your documents behind it. Use one sheet for each fax.", 30)
    side = rng.randint(300, 460)
    if rng.random() < 0.5:
        raw = io.BytesIO()
        segno.make(told, error="m", micro=False).save(raw, kind="png", scale=10, border=4)
        code = Image.open(raw).convert("L")
    else:
        made = zxingcpp.create_barcode(told, zxingcpp.BarcodeFormat.DataMatrix).to_image(scale=10)
        code = (
            Image.fromarray(made)
            if not hasattr(made, "shape")
            else Image.frombytes("L", (made.shape[1], made.shape[0]), bytes(made))
        )
    high = side * code.height // code.width
    paper.image.paste(
        code.resize((side, high), Image.Resampling.NEAREST),
        (rng.choice([paper.left, WIDTH // 2 - side // 2]), paper.down + 40),
    )
    paper.text(paper.left, paper.down + side + 90, told, 44, bold=True)
    return [(paper.image, paper.truth)]


def letter(rng: Random) -> list[Sheet]:
    """A letter, at times about one of the forms, by its name and title."""
    paper = _paper(rng, Style.any(rng), "")
    size, who = rng.randint(26, 34), _name(rng)
    down = rng.randint(0, 200)
    paper.down += down
    for line in (
        who.firm,
        people.street(rng),
        people.city(rng),
        "",
        str(people.day(rng)),
        "",
        rng.choice(["Dear Sir or Madam,", f"Dear {_name(rng).name},", "To whom it may concern:"]),
    ):
        paper.text(paper.left, paper.down, line, size, pen=True)
        paper.down += int(size * 1.4)
    said = [filler.paragraph(rng, "en", rng.randint(2, 4)) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.6:
        said.insert(0, rng.choice(_ABOUT))
    for words in said:
        paper.paragraph(words, size)
    for line in (rng.choice(["Sincerely,", "Kind regards,", "Yours faithfully,"]), "", who.name):
        paper.text(paper.left, paper.down, line, size, pen=True)
        paper.down += int(size * 1.5)
    return [(paper.image, paper.truth)]


_ABOUT = (
    "Please find enclosed Form 2848, Power of Attorney and Declaration of Representative, for our client.",
    "We have sent Form 13930, Application for Central Withholding Agreement, on the tenth and have had no answer.",
    "Attached is Form 8821, Tax Information Authorization, signed by the taxpayer. The CAF number is None.",
    "As to Form 15410, Taxpayer Agreement and Disclosure Authorization to Designated Users: the Appendix follows.",
    "Our artist earns less than $10,000; is Form 13930-A, Application for Central Withholding Agreement, enough?",
    "Power of Attorney: the designated users are to be changed, and the POA box of the second one is to be checked.",
)


def attachment(rng: Random) -> list[Sheet]:
    """A page of a contract, a budget, an itinerary: of none of the forms."""
    paper = _paper(rng, Style.any(rng), "", is_first=False)
    if rng.random() < 0.5:
        paper.text(
            paper.left,
            paper.down,
            rng.choice(["PERFORMANCE AGREEMENT", "Engagement contract", "Rider to agreement"]),
            40,
            bold=True,
        )
        paper.down += 80
        for number in range(1, rng.randint(5, 9)):
            paper.paragraph(f"{number}. {filler.paragraph(rng, 'en', rng.randint(1, 3))}", rng.randint(24, 28))
    else:
        paper.text(
            paper.left,
            paper.down,
            rng.choice(["Tour budget", "Itinerary", "Estimated income and expenses"]),
            40,
            bold=True,
        )
        paper.down += 80
        for _ in range(rng.randint(6, 14)):
            paper.row(
                (people.venue(rng), people.dollars(rng), ""), (people.city(rng), f"{people.day(rng):%m/%d/%Y}", "")
            )
    return [(paper.image, paper.truth)]


def blank(_rng: Random) -> list[Sheet]:
    """The back of a sheet."""
    return [(Image.new("L", (WIDTH, HEIGHT), 255), Truth("blank", is_first=False))]


MAKERS: tuple[Callable[[Random], list[Sheet]], ...] = (
    consent, consent, power, disclosure, application, lambda rng: application(rng, small=True), cover, letter, attachment, blank,
)  # fmt: skip
