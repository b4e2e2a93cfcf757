"""Synthetic numbers of persons and firms of the United States, and of cards and banks: valid by rule, drawn by a seed."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from gateway.domain.verdict import Kind

DIGITS = string.digits
UPPER = string.ascii_uppercase
PUBLISHED = frozenset({"078051120", "219099999", "457555462", "123456789", "987654321"})


@dataclass(frozen=True, slots=True)
class Datum:
    """One piece of taxpayer data: `text` as people usually write it, `variant` the key of its labels.

    `proven` says that its shape or check is proof enough for a human without any keyword; `also` lists the kinds that
    a screener may rightly report in its stead.
    """

    kind: Kind
    text: str
    variant: str
    proven: bool = False
    also: tuple[Kind, ...] = ()
    country: str = "US"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> str:
        """The characters alone, as somebody writes who drops separators."""
        return "".join(mark for mark in self.text if mark.isalnum())

    @property
    def numeric(self) -> bool:
        """Whether it is made of digits only, so that words and look-alikes can stand for them."""
        return self.plain.isdigit()


def digits(rng: Random, count: int) -> str:
    return "".join(rng.choices(DIGITS, k=count))


def letters(rng: Random, count: int, of: str = UPPER) -> str:
    return "".join(rng.choices(of, k=count))


def luhn_digit(body: str) -> str:
    """The digit that makes `body` + it pass Luhn (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, mark in enumerate(reversed(body)):
        value = int(mark) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _dashed(plain: str) -> str:
    return f"{plain[:3]}-{plain[3:5]}-{plain[5:]}"


def ssn(rng: Random) -> Datum:
    while True:
        area = rng.randint(1, 899)
        plain = f"{area:03}{rng.randint(1, 99):02}{rng.randint(1, 9999):04}"
        if area != 666 and plain not in PUBLISHED and len(set(plain)) > 2:
            return Datum(Kind.SSN, _dashed(plain), "ssn", proven=True)


def _ninth(rng: Random, groups: list[int]) -> str:
    while True:
        plain = f"9{digits(rng, 2)}{rng.choice(groups):02}{rng.randint(1, 9999):04}"
        if not plain.startswith("98765432"):
            return _dashed(plain)


def itin(rng: Random) -> Datum:
    groups = [*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)]
    return Datum(Kind.ITIN, _ninth(rng, groups), "itin", proven=True)


def atin(rng: Random) -> Datum:
    return Datum(Kind.ATIN, _ninth(rng, [93]), "atin", proven=True)


_NO_PREFIX = frozenset({0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97})


def ein(rng: Random) -> Datum:
    prefix = rng.choice([number for number in range(1, 98) if number not in _NO_PREFIX])
    return Datum(Kind.EIN, f"{prefix:02}-{digits(rng, 7)}", "ein")


def qi_ein(rng: Random) -> Datum:
    return Datum(Kind.QI_EIN, f"98-{digits(rng, 7)}", "qi-ein", also=(Kind.EIN,))


def ptin(rng: Random) -> Datum:
    return Datum(Kind.PTIN, f"P0{digits(rng, 7)}", "ptin")


def caf(rng: Random) -> Datum:
    if rng.random() < 0.75:
        return Datum(Kind.CAF, f"{digits(rng, 4)}-{digits(rng, 5)}{rng.choice('RRRRQSA')}", "caf")
    return Datum(Kind.CAF, f"{rng.randint(1, 9)}{digits(rng, 8)}", "caf", also=(Kind.SSN, Kind.EIN, Kind.ITIN))


_GIIN_MARKS = DIGITS + UPPER.replace("O", "")
_ISO_NUMERIC = (
    "826 276 250 724 380 528 756 372 442 056 040 752 578 208 392 036 076 484 356 702 344 136 092 060 831".split()
)


def giin(rng: Random) -> Datum:
    middle = rng.choice(["00000", "99999", letters(rng, 5, _GIIN_MARKS)])
    category = rng.choice("LE SL ME BR SP SF SD SS SB".split())
    text = f"{letters(rng, 6, _GIIN_MARKS)}.{middle}.{category}.{rng.choice(_ISO_NUMERIC)}"
    return Datum(Kind.GIIN, text, "giin", proven=True)


def efin(rng: Random) -> Datum:
    return Datum(Kind.EFIN, f"{rng.randint(1, 9)}{digits(rng, 5)}", "efin")


def etin(rng: Random) -> Datum:
    return Datum(Kind.ETIN, f"{rng.randint(1, 9)}{digits(rng, 4)}", "etin")


def ip_pin(rng: Random) -> Datum:
    return Datum(Kind.IP_PIN, f"{rng.randint(1, 9)}{digits(rng, 5)}", "ip-pin")


def card(rng: Random) -> Datum:
    prefix, length = rng.choice(
        [
            ("4", 16),
            (str(rng.randint(51, 55)), 16),
            (str(rng.randint(2221, 2720)), 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
        ]
    )
    while True:
        body = prefix + digits(rng, length - 1 - len(prefix))
        if len(set(body)) > 5:
            break
    plain = body + luhn_digit(body)
    if length == 15:
        return Datum(Kind.CARD, f"{plain[:4]} {plain[4:10]} {plain[10:]}", "card", proven=True)
    return Datum(Kind.CARD, " ".join(plain[at : at + 4] for at in range(0, 16, 4)), "card", proven=True)


def routing(rng: Random) -> str:
    """An ABA routing number: a Federal Reserve district in front, weights 3, 7, 1 sum to 0 mod 10."""
    district = rng.choice([*range(1, 13), *range(21, 33), *range(61, 73)])
    body = f"{district:02}{digits(rng, 6)}"
    total = sum(weight * int(mark) for weight, mark in zip((3, 7, 1, 3, 7, 1, 3, 7), body, strict=True))
    return body + str(-total % 10)


def bank(rng: Random) -> Datum:
    number = f"{rng.randint(1, 9)}{digits(rng, rng.randint(7, 11))}"
    return Datum(Kind.BANK, number, "bank", extra={"routing": routing(rng)}, also=(Kind.IBAN,))


# n digits, a capital letters, c either (ISO 13616 registry).
_BBAN = {
    "DE": "18n", "GB": "4a14n", "FR": "10n11n2n", "IT": "1a10n12n", "NL": "4a10n", "AT": "16n",
    "CH": "17n", "SE": "20n", "PL": "24n", "PT": "21n", "IE": "4a14n", "DK": "14n", "LU": "3n13n", "FI": "14n",
    "CZ": "20n", "GR": "23n", "HU": "24n",
}  # fmt: skip


def _bban(rng: Random, shape: str) -> str:
    made, count = "", ""
    for mark in shape:
        if mark.isdigit():
            count += mark
        else:
            made += digits(rng, int(count)) if mark == "n" else letters(rng, int(count))
            count = ""
    return made


def _spanish_bban(rng: Random) -> str:
    """Bank, branch, two check digits (weights 1, 2, 4, 8 … mod 11), account."""
    office, account = digits(rng, 8), digits(rng, 10)
    checks = ""
    for body in (f"00{office}", account):
        rest = 11 - sum((1, 2, 4, 8, 5, 10, 9, 7, 3, 6)[at] * int(mark) for at, mark in enumerate(body)) % 11
        checks += str({10: 1, 11: 0}.get(rest, rest))
    return office + checks + account


def _belgian_bban(rng: Random) -> str:
    body = digits(rng, 10)
    return f"{body}{int(body) % 97 or 97:02}"


def iban(rng: Random) -> Datum:
    country = rng.choice(["ES", "BE", *sorted(_BBAN)])
    made = {"ES": _spanish_bban, "BE": _belgian_bban}.get(country)
    bban = made(rng) if made else _bban(rng, _BBAN[country])
    as_number = "".join(str(int(mark, 36)) for mark in f"{bban}{country}00")
    plain = f"{country}{98 - int(as_number) % 97:02}{bban}"
    text = " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
    return Datum(Kind.IBAN, text, "iban", proven=True, also=(Kind.BANK,), country=country)


MAKERS: dict[str, Callable[[Random], Datum]] = {
    "ssn": ssn, "itin": itin, "atin": atin, "ein": ein, "qi-ein": qi_ein, "ptin": ptin, "caf": caf, "giin": giin,
    "efin": efin, "etin": etin, "ip-pin": ip_pin, "card": card, "bank": bank, "iban": iban,
}  # fmt: skip
