"""Tax forms with their fields: filled as people send them on, or blank as people ask for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.screening import foreign, numbers, people
from benchmarks.screening.letters import Letter
from benchmarks.screening.people import Person
from gateway.domain.verdict import Kind

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A form's number, its title, and its fields as printed, each with what is written into it ("" when blank)."""

    number: str
    title: str
    fields: Fields

    @property
    def blank(self) -> Form:
        return Form(self.number, self.title, tuple((name, "") for name, _ in self.fields))

    @property
    def filled_only(self) -> Fields:
        return tuple(field for field in self.fields if field[1])


ALSO = (
    Kind.SSN,
    Kind.ITIN,
    Kind.EIN,
    Kind.CAF,
    Kind.PTIN,
    Kind.PASSPORT,
    Kind.BIRTH_DATE,
    Kind.RETURN_INFORMATION,
    Kind.FOREIGN_TIN,
)


def _tin(rng: Random) -> str:
    return rng.choice([numbers.ssn, numbers.itin])(rng).text


def _amount(rng: Random, top: int = 400_000) -> str:
    return rng.choice(["{:,}.00", "{:,}", "{}.00"]).format(rng.randint(900, top))


def _address(rng: Random) -> str:
    return f"{people.street(rng)}, {people.city(rng)}"


def _w2(rng: Random, who: Person) -> Form:
    return Form("W-2", "Wage and Tax Statement", (
        ("a Employee's social security number", numbers.ssn(rng).text), ("b Employer identification number (EIN)", numbers.ein(rng).text),
        ("c Employer's name, address, and ZIP code", who.firm), ("e Employee's first name and initial  Last name", who.name), ("1 Wages, tips, other compensation", _amount(rng)),
        ("2 Federal income tax withheld", _amount(rng, 90_000)), ("3 Social security wages", _amount(rng)), ("4 Social security tax withheld", _amount(rng, 9_000)),
        ("5 Medicare wages and tips", _amount(rng)), ("16 State wages, tips, etc.", _amount(rng)),
    ))  # fmt: skip


def _1042s(rng: Random, who: Person) -> Form:
    return Form("1042-S", "Foreign Person's U.S. Source Income Subject to Withholding", (
        ("1 Income code", rng.choice(["42", "43", "20", "12"])), ("2 Gross income", _amount(rng)), ("3b Tax rate", "30.00"), ("7a Federal tax withheld", _amount(rng, 90_000)),
        ("12a Withholding agent's EIN", numbers.ein(rng).text), ("12d Withholding agent's name", people.firm(rng)), ("13a Recipient's name", who.name),
        ("13b Recipient's country code", who.country), ("13e Recipient's U.S. TIN, if any", _tin(rng)), ("13i Recipient's foreign tax identification number, if any", foreign.idnr(rng).text),
        ("13l Recipient's date of birth (YYYYMMDD)", people.birthday(rng).strftime("%Y%m%d")),
    ))  # fmt: skip


def _8233(rng: Random, who: Person) -> Form:
    return Form("8233", "Exemption From Withholding on Compensation for Independent Personal Services of a Nonresident Alien Individual", (
        ("1 Name of individual who is the beneficial owner", who.name), ("2 U.S. taxpayer identification number", _tin(rng)), ("3 Foreign tax identification number, if any", foreign.nino(rng).text),
        ("4 Permanent residence address", _address(rng)), ("6 U.S. visa type", rng.choice(["P-1", "O-1", "B-1"])), ("7a Country issuing passport", who.country),
        ("7b Passport number", foreign.passport(rng).text), ("11b Total compensation you expect to be paid", f"${_amount(rng)}"),
    ))  # fmt: skip


def _w8ben(rng: Random, who: Person) -> Form:
    return Form("W-8BEN", "Certificate of Foreign Status of Beneficial Owner for United States Tax Withholding and Reporting (Individuals)", (
        ("1 Name of individual who is the beneficial owner", who.name), ("2 Country of citizenship", who.country), ("3 Permanent residence address", _address(rng)),
        ("5 U.S. taxpayer identification number (SSN or ITIN), if required", rng.choice([_tin(rng), ""])), ("6a Foreign tax identifying number", rng.choice([foreign.cpf, foreign.nino, foreign.codice_fiscale])(rng).text),
        ("8 Date of birth (MM-DD-YYYY)", people.birthday(rng).strftime("%m-%d-%Y")),
    ))  # fmt: skip


def _w9(rng: Random, who: Person) -> Form:
    return Form("W-9", "Request for Taxpayer Identification Number and Certification", (
        ("1 Name of entity/individual", who.name), ("2 Business name/disregarded entity name", who.firm), ("5 Address", _address(rng)),
        rng.choice([("Social security number", numbers.ssn(rng).text), ("Employer identification number", numbers.ein(rng).text)]),
    ))  # fmt: skip


def _13930(rng: Random, who: Person) -> Form:
    return Form("13930", "Application for Central Withholding Agreement", (
        ("Name of nonresident alien applicant", who.name), ("SSN or ITIN", rng.choice([_tin(rng), "applied for"])), ("Date of birth", people.birthday(rng).strftime("%m/%d/%Y")),
        ("Passport number", foreign.passport(rng).text), ("Country of issuance", who.country), ("Withholding agent", people.firm(rng)), ("Agent's EIN", numbers.ein(rng).text),
        ("Event 1 venue, city, date", f"{people.venue(rng)}, {people.city(rng)}, {people.day(rng)}"), ("Gross income from event 1", f"${_amount(rng)}"), ("Total estimated gross income", f"${_amount(rng)}"),
        ("Total estimated expenses", f"${_amount(rng, 90_000)}"),
    ))  # fmt: skip


def _15410(rng: Random, who: Person) -> Form:
    return Form("15410", "Taxpayer Agreement and Disclosure Authorization to Designated Users", (
        ("Legal name of withholding agent", who.firm), ("Taxpayer identification number", numbers.ein(rng).text), ("Address", _address(rng)), ("Name of person with authority to bind", who.name),
        ("Title", "Director"), ("E-mail address for notifications", who.address), ("Designated user 1", people.person(rng).name), ("Signature date", str(people.day(rng))),
    ))  # fmt: skip


def _2848(rng: Random, who: Person) -> Form:
    agent = people.person(rng, "US")
    return Form("2848", "Power of Attorney and Declaration of Representative", (
        ("1 Taxpayer name and address", f"{who.name}, {_address(rng)}"), ("Taxpayer identification number(s)", _tin(rng)), ("2 Representative(s) name", agent.name), ("CAF No.", numbers.caf(rng).text),
        ("PTIN", numbers.ptin(rng).text), ("Telephone No.", people.telephone(rng, "US")), ("3 Description of matter", "Income"), ("Tax form number", "1040-NR"), ("Year(s) or period(s)", f"{rng.randint(2020, 2025)}"),
    ))  # fmt: skip


def _1040nr(rng: Random, who: Person) -> Form:
    return Form("1040-NR", "U.S. Nonresident Alien Income Tax Return", (
        ("Your first name and middle initial  Last name", who.name), ("Your identifying number", _tin(rng)), ("1a Total amount from Form(s) W-2, box 1", _amount(rng)), ("11 Adjusted gross income", _amount(rng)),
        ("15 Taxable income", _amount(rng)), ("24 Total tax", _amount(rng, 90_000)), ("25g Form(s) 1042-S", _amount(rng, 90_000)), ("34 Overpaid", _amount(rng, 9_000)),
        ("35b Routing number", numbers.routing(rng)), ("35d Account number", numbers.bank(rng).text),
    ))  # fmt: skip


def _cp2000(rng: Random, who: Person) -> Form:
    return Form("CP2000", "Notice: we propose changes to your return", (
        ("Taxpayer", who.name), ("Tax year", str(rng.randint(2019, 2024))), ("Social security number", _tin(rng)), ("Shown on return", f"${_amount(rng)}"), ("Reported to IRS by others", f"${_amount(rng)}"),
        ("Amount due", f"${_amount(rng, 60_000)}"), ("AUR control number", f"{numbers.digits(rng, 5)}-{numbers.digits(rng, 4)}"),
    ))  # fmt: skip


MAKERS: dict[str, Callable[[Random, Person], Form]] = {
    "W-2": _w2, "1042-S": _1042s, "8233": _8233, "W-8BEN": _w8ben, "W-9": _w9, "13930": _13930, "15410": _15410, "2848": _2848, "1040-NR": _1040nr, "CP2000": _cp2000,
}  # fmt: skip


def form(rng: Random) -> Form:
    return MAKERS[rng.choice(list(MAKERS))](rng, people.person(rng))


def as_lines(rng: Random, made: Form) -> str:
    """The form as somebody types or copies it: a label and its value on one line, or under each other."""
    joint = rng.choice([": ", "  ", "\n", " ..... ", "\t", " = "])
    keep = made.filled_only if rng.random() < 0.5 else made.fields
    rows = "\n".join(f"{name}{joint}{value}" for name, value in keep)
    return rng.choice(
        [
            f"Form {made.number}\n{rows}",
            f"Form {made.number} {made.title}\n\n{rows}",
            f"{made.title} ({made.number})\n{rows}",
            rows,
        ]
    )


def in_body(letter: Letter, made: Form) -> None:
    letter.blocks.append(as_lines(letter.rng, made))


def in_table(letter: Letter, made: Form) -> None:
    letter.form, letter.plain_says = letter.rng.choice(["html", "alternative"]), "The form is below.\n"
    rows = "".join(
        f"<tr><td>{name.replace('&', '&amp;')}</td><td><b>{value}</b></td></tr>\n" for name, value in made.fields
    )
    letter.raw_html.append(f"<h3>Form {made.number}</h3><table>{rows}</table>")


Renderer = Callable[[Letter, Form], None]
RENDERERS: dict[str, tuple[Renderer, str]] = {
    "form in body": (in_body, "contained"),
    "form in html": (in_table, "contained"),
}
