"""Synthetic taxpayer numbers of other countries, passports with their machine readable zones, and visa foils."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.screening.numbers import DIGITS, UPPER, Datum, digits, letters, luhn_digit
from gateway.domain.verdict import Kind


def _weighed(body: str, weights: tuple[int, ...]) -> int:
    return sum(weight * int(mark) for weight, mark in zip(weights, body, strict=False))


def _foreign(text: str, variant: str, country: str, *, proven: bool = False) -> Datum:
    # Nine digits of another country look like an SSN, ten like nothing: any of the taxpayer numbers is a right answer.
    return Datum(Kind.FOREIGN_TIN, text, variant, proven=proven, country=country, also=(Kind.SSN, Kind.ITIN, Kind.EIN))


def nino(rng: Random) -> Datum:
    while True:
        head = rng.choice("ABCEGHJKLMNOPRSTWXYZ") + rng.choice("ABCEGHJKLMNPRSTWXYZ")
        if head not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"} and head[0] != "O":
            pairs = " ".join(digits(rng, 2) for _ in range(3))
            return _foreign(f"{head} {pairs} {rng.choice('ABCD')}", "nino", "GB", proven=True)


def utr(rng: Random) -> Datum:
    body = digits(rng, 9)
    check = "21987654321"[_weighed(body, (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11]
    plain = check + body
    return _foreign(rng.choice([plain, f"{plain[:5]} {plain[5:]}"]), "utr", "GB")


def sin(rng: Random) -> Datum:
    body = rng.choice("12345679") + digits(rng, 7)
    plain = body + luhn_digit(body)
    return _foreign(f"{plain[:3]}{rng.choice(' -')}{plain[3:6]}{rng.choice(' -')}{plain[6:]}", "sin", "CA")


def idnr(rng: Random) -> Datum:
    """German Steuer-IdNr: one of the first ten digits twice, the eleventh by ISO 7064 mod 11,10."""
    while True:
        marks = rng.sample(DIGITS, 9)
        marks.insert(rng.randrange(10), rng.choice(marks))
        if marks[0] != "0":
            break
    product = 10
    for mark in marks:
        total = (int(mark) + product) % 10 or 10
        product = total * 2 % 11
    plain = "".join(marks) + str((11 - product) % 10)
    return _foreign(rng.choice([plain, f"{plain[:2]} {plain[2:5]} {plain[5:8]} {plain[8:]}"]), "idnr", "DE")


def spi(rng: Random) -> Datum:
    """French numéro fiscal: 13 digits, the first ten mod 511 are the last three."""
    body = rng.choice("0123") + digits(rng, 9)
    plain = f"{body}{int(body) % 511:03}"
    return _foreign(
        rng.choice([plain, f"{plain[:2]} {plain[2:4]} {plain[4:7]} {plain[7:10]} {plain[10:]}"]), "spi", "FR"
    )


_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def dni(rng: Random) -> Datum:
    number = rng.randint(10_000_000, 79_999_999)
    return _foreign(f"{number}{rng.choice(['', '-'])}{_DNI[number % 23]}", "dni", "ES", proven=True)


def nie(rng: Random) -> Datum:
    first, body = rng.randrange(3), digits(rng, 7)
    dash = rng.choice(["", "-"])
    return _foreign(f"{'XYZ'[first]}{dash}{body}{dash}{_DNI[int(f'{first}{body}') % 23]}", "nie", "ES", proven=True)


_CF_ODD = dict(
    zip(DIGITS + UPPER, (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8,
                         12, 14, 16, 10, 22, 25, 24, 23), strict=True)
)  # fmt: skip


def codice_fiscale(rng: Random) -> Datum:
    consonants = "BCDFGLMNPRSTVZ"
    day = rng.randint(1, 28) + rng.choice([0, 40])
    body = (
        letters(rng, 6, consonants) + f"{rng.randint(55, 99):02}" + rng.choice("ABCDEHLMPRST") + f"{day:02}"
        + rng.choice("ABCDEFGHIL") + f"{rng.randint(1, 989):03}"
    )  # fmt: skip
    total = sum(_CF_ODD[m] if at % 2 == 0 else (int(m) if m.isdigit() else ord(m) - 65) for at, m in enumerate(body))
    return _foreign(body + UPPER[total % 26], "cf", "IT", proven=True)


def bsn(rng: Random) -> Datum:
    while True:
        body = rng.choice("12345678") + digits(rng, 7)
        check = _weighed(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            plain = f"{body}{check}"
            return _foreign(rng.choice([plain, f"{plain[:4]}.{plain[4:6]}.{plain[6:]}"]), "bsn", "NL")


def tfn(rng: Random) -> Datum:
    while True:
        plain = rng.choice("123456789") + digits(rng, 8)
        if _weighed(plain, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return _foreign(f"{plain[:3]} {plain[3:6]} {plain[6:]}", "tfn", "AU")


def my_number(rng: Random) -> Datum:
    body = digits(rng, 11)
    rest = _weighed(body, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    plain = f"{body}{0 if rest <= 1 else 11 - rest}"
    return _foreign(f"{plain[:4]} {plain[4:8]} {plain[8:]}", "mynumber", "JP")


def cpf(rng: Random) -> Datum:
    body = digits(rng, 9)
    for _ in range(2):
        total = sum(weight * int(mark) for weight, mark in zip(range(len(body) + 1, 1, -1), body, strict=True))
        body += str(0 if total % 11 < 2 else 11 - total % 11)
    return _foreign(f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}", "cpf", "BR", proven=True)


def _day_code(rng: Random) -> str:
    return f"{rng.randint(55, 99):02}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"


def personnummer(rng: Random) -> Datum:
    day, serial = _day_code(rng), digits(rng, 3)
    return _foreign(f"{day}-{serial}{luhn_digit(day + serial)}", "personnummer", "SE", proven=True)


def ppsn(rng: Random) -> Datum:
    body, second = digits(rng, 7), rng.choice(["", "A"])
    total = _weighed(body, (8, 7, 6, 5, 4, 3, 2)) + (9 if second else 0)
    return _foreign(f"{body}{'WABCDEFGHIJKLMNOPQRSTUV'[total % 23]}{second}", "ppsn", "IE", proven=True)


_RFC_MARKS = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"


def rfc(rng: Random) -> Datum:
    head = rng.choice("BCDFGLMPRSTV") + rng.choice("AEIOU") + letters(rng, 2, "BCDFGLMPRSTV")
    body = head + _day_code(rng) + letters(rng, 2, DIGITS + UPPER)
    total = sum(_RFC_MARKS.index(mark) * (13 - at) for at, mark in enumerate(body))
    return _foreign(body + "0123456789A"[-total % 11], "rfc", "MX", proven=True)


def pan(rng: Random) -> Datum:
    return _foreign(f"{letters(rng, 3)}P{letters(rng, 1)}{digits(rng, 4)}{letters(rng, 1)}", "pan", "IN", proven=True)


_PASSPORT = {
    "GBR": "#########", "DEU": "C@@@@@@@#", "FRA": "##AA#####", "ESP": "AAA######", "ITA": "AA#######", "CAN": "AA######",
    "AUS": "P@#######", "JPN": "AA#######", "BRA": "AA######", "MEX": "G########", "IND": "A#######", "NLD": "AA@@@@@@#",
    "SWE": "########", "KOR": "M########", "ZAF": "A########", "NGA": "A########", "UKR": "AA######", "IRL": "A@#######",
    "COL": "AA######", "ARG": "AAA######",
}  # fmt: skip


def _passport_number(rng: Random, shape: str) -> str:
    made = {"#": DIGITS, "A": "ABCEFGHJKLMNPRTVXYZ", "@": DIGITS + "CFGHJKLMNPRTVWXYZ"}
    return "".join(rng.choice(made.get(mark, mark)) for mark in shape)


def passport(rng: Random) -> Datum:
    country = rng.choice(sorted(_PASSPORT))
    return Datum(Kind.PASSPORT, _passport_number(rng, _PASSPORT[country]), "passport", country=country)


def _check(field: str) -> str:
    values = (0 if mark == "<" else int(mark, 36) for mark in field)
    return str(sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values)) % 10)


def mrz(rng: Random, family: str = "", given: str = "") -> Datum:
    """The two lines of 44 of a passport or the three of 30 of a card (ICAO 9303 parts 4 and 5)."""
    country = rng.choice(sorted(_PASSPORT))
    number = _passport_number(rng, _PASSPORT[country]).ljust(9, "<")
    name = f"{_ascii(family) or 'MARTIN'}<<{_ascii(given) or 'ANNA'}"
    born, until = _day_code(rng), f"{rng.randint(27, 35)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    born, until, number = born + _check(born), until + _check(until), number + _check(number)
    sex = rng.choice("MF<")
    if rng.random() < 0.7:
        optional = "<" * 14
        second = f"{number}{country}{born}{sex}{until}{optional}0"
        whole = _check(number + born + until + optional + "0")
        lines = [f"P<{country}{name}".ljust(44, "<")[:44], second + whole]
    else:
        first = f"I<{country}{number}".ljust(30, "<")
        middle = f"{born}{sex}{until}{country}".ljust(29, "<")
        whole = _check(first[5:30] + born + until + middle[18:29])
        lines = [first, middle + whole, name.ljust(30, "<")[:30]]
    return Datum(Kind.PASSPORT, "\n".join(lines), "mrz", proven=True, country=country, also=(Kind.BIRTH_DATE,))


def _ascii(name: str) -> str:
    return "".join(mark for mark in name.upper().replace(" ", "<") if mark == "<" or "A" <= mark <= "Z")


def visa(rng: Random) -> Datum:
    head = rng.choice([*UPPER, *DIGITS])
    return Datum(Kind.VISA, f"{head}{rng.randint(1, 9)}{digits(rng, 6)}", "visa", also=(Kind.PASSPORT,))


MAKERS: dict[str, Callable[[Random], Datum]] = {
    "nino": nino, "utr": utr, "sin": sin, "idnr": idnr, "spi": spi, "dni": dni, "nie": nie, "cf": codice_fiscale, "bsn": bsn,
    "tfn": tfn, "mynumber": my_number, "cpf": cpf, "personnummer": personnummer, "ppsn": ppsn, "rfc": rfc, "pan": pan,
    "passport": passport, "mrz": mrz, "visa": visa,
}  # fmt: skip
