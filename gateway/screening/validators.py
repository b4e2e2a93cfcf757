"""What a number must be by itself: shape, ranges, check digits. Plain functions over plain digits or codes.

Digits come without signs, codes in upper case. How much chance passes a check is what the detectors weigh it by.
Sources: the Social Security Administration and the numbering rules of each issuer; ISO 7064, ISO 7812, ISO 13616, ICAO
9303. python-stdnum has the checks of other countries that it does right; the rest is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

import stdnum.ar.cuit
import stdnum.at.vnr
import stdnum.au.tfn
import stdnum.be.nn
import stdnum.br.cnpj
import stdnum.br.cpf
import stdnum.ca.sin
import stdnum.ch.ssn
import stdnum.cl.rut
import stdnum.de.idnr
import stdnum.dk.cpr
import stdnum.es.dni
import stdnum.es.nie
import stdnum.fi.hetu
import stdnum.fr.nif
import stdnum.fr.nir
import stdnum.gb.utr
import stdnum.il.idnr
import stdnum.in_.aadhaar
import stdnum.in_.pan
import stdnum.it.codicefiscale
import stdnum.kr.rrn
import stdnum.mx.curp
import stdnum.mx.rfc
import stdnum.nl.bsn
import stdnum.no.fodselsnummer
import stdnum.nz.ird
import stdnum.pl.pesel
import stdnum.pt.nif
import stdnum.ru.inn
import stdnum.se.personnummer
import stdnum.tr.tckimlik

# Published as samples, or never issued because they were.
_SAMPLE_NINES: Final = frozenset(
    {"078051120", "219099999", "457555462", "123456789", "987654321", "111223333", "123121234", "012345678"}
)
_ITIN_GROUPS: Final = frozenset({*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)})
_INTERNAL_GROUPS: Final = frozenset({*range(1, 11), *range(17, 20), 28, 29, *range(37, 40)})
_NO_EIN: Final = frozenset({0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97})
_NO_NINO: Final = frozenset({"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"})


def is_sample(nine: str) -> bool:
    """Whether nine digits are a published sample, one digit nine times, or a plain count up or down."""
    return nine in _SAMPLE_NINES or len(set(nine)) == 1 or nine.startswith("98765432")


def is_ssn(nine: str) -> bool:
    """Area not 000, 666 or 9xx, group not 00, serial not 0000."""
    return nine[:3] not in {"000", "666"} and nine[0] != "9" and nine[3:5] != "00" and nine[5:] != "0000"


def is_itin(nine: str) -> bool:
    """9xx with a group that has been issued, those from 50 to 65 too."""
    return nine[0] == "9" and int(nine[3:5]) in _ITIN_GROUPS


def is_atin(nine: str) -> bool:
    """9xx with group 93."""
    return nine[0] == "9" and nine[3:5] == "93"


def is_internal(nine: str) -> bool:
    """9xx with a group that the agency uses itself for those who have no number."""
    return nine[0] == "9" and int(nine[3:5]) in _INTERNAL_GROUPS


def is_ein(nine: str) -> bool:
    """A prefix that has been given out."""
    return int(nine[:2]) not in _NO_EIN and nine[2:] != "0000000"


def is_aba(nine: str) -> bool:
    """A routing number: first two digits of a bank's range, weights 3, 7, 1."""
    first = int(nine[:2])
    if not (first <= 12 or 21 <= first <= 32 or 61 <= first <= 72 or first == 80) or set(nine) == {"0"}:
        return False
    return sum(int(digit) * weight for digit, weight in zip(nine, (3, 7, 1) * 3, strict=True)) % 10 == 0


def passes_luhn(digits: str) -> bool:
    """ISO 7812-1 annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


_TEST_CARDS: Final = frozenset(
    """
    4111111111111111 4242424242424242 4012888888881881 4000056655665556 4222222222222 5555555555554444
    5105105105105100 5200828282828210 2223003122003222 378282246310005 371449635398431 378734493671000
    6011111111111117 6011000990139424 6011000000000004 4000000000000002 4917610000000000 4916338506082832
    5454545454545454 6011601160116611 4005519200000004 4009348888881881 4012000033330026 4012000077777777
    4500600000000061 2222400070000005 2223000048400011 5425233430109903 374245455400126 4263982640269299
    4263970000005262 4001919257537193 4007702835532454 4444333322221111 4000002500003155 4000000000009995
    4000000000000077 3566002020360505 30569309025904 38520000023237 6759649826438453 5019717010103742
    """.split()
)
_CARD: Final = re.compile(
    r"4\d{12}(?:\d{3})?(?:\d{3})?\Z|5[1-5]\d{14}\Z|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}\Z|3[47]\d{13}\Z|6(?:011|5\d\d|4[4-9]\d)\d{12}\Z"
)


def is_card(digits: str) -> bool:
    """A payment card by prefix, length and Luhn; published test cards are none."""
    return bool(_CARD.match(digits)) and digits not in _TEST_CARDS and len(set(digits)) > 3 and passes_luhn(digits)


_COUNTRIES: Final = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29
    ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20
    LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25
    QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20
"""
_IBAN_LENGTHS: Final = MappingProxyType({code[:2]: int(code[2:]) for code in _COUNTRIES.split()})
_SAMPLE_IBANS: Final = frozenset(
    {
        "GB29NWBK60161331926819",
        "DE89370400440532013000",
        "FR1420041010050500013M02606",
        "GB82WEST12345698765432",
        "NL91ABNA0417164300",
    }
)


_NUMERIC_IBANS: Final = frozenset(
    "AE AT BA BE BR CR CZ DE DK EE EG ES FI FO GL HR HU IL IS LT LY ME MR NO PL PT RS SE SI SK TL TN XK".split()
) - {"BR"}


def find_iban(code: str) -> str | None:
    """The IBAN that a code begins with (letters and digits that follow may be other text), or None."""
    length = _IBAN_LENGTHS.get(code[:2])
    if length is None or len(code) < length:
        return None
    iban = code[:length]
    if not iban[2:4].isdigit() or not iban.isalnum() or (iban[:2] in _NUMERIC_IBANS and not iban[2:].isdigit()):
        return None
    number = "".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])
    return iban if int(number) % 97 == 1 else None


def is_sample_iban(iban: str) -> bool:
    """Whether an IBAN stands in every text about IBANs."""
    return iban in _SAMPLE_IBANS


_GIIN: Final = re.compile(r"[A-NP-Z0-9]{6}[A-NP-Z0-9]{5}(?:LE|SL|ME|BR|SP|SF|SD|SS|SB)\d{3}\Z")


def is_giin(code: str) -> bool:
    """Sixteen signs without dots; the last three are an ISO 3166 number."""
    return bool(_GIIN.match(code)) and 4 <= int(code[13:]) <= 999


def is_nino(code: str) -> bool:
    """A UK National Insurance number: prefix letters that are given out, six digits, a suffix from A to D."""
    return (
        code[0] not in "DFIQUV"
        and code[1] not in "DFIQUVO"
        and code[:2] not in _NO_NINO
        and code[2:8].isdigit()
        and code[8] in "ABCD"
    )


# Three that a telephone number with a letter behind it looks like: their checks alone, since all else takes longer.
def is_dni(code: str) -> bool:
    """A Spanish identity number: eight digits and a letter."""
    return len(code) == 9 and code[:8].isdigit() and stdnum.es.dni.calc_check_digit(code[:8]) == code[8]


def is_nie(code: str) -> bool:
    """The same of foreigners: X, Y or Z, seven digits, a letter."""
    return (
        len(code) == 9
        and code[0] in "XYZ"
        and code[1:8].isdigit()
        and stdnum.es.nie.calc_check_digit(code[:8]) == code[8]
    )


_PPS: Final = re.compile(r"\d{7}[A-W][ABHWTX]?\Z")


def is_pps(code: str) -> bool:
    """An Irish personal public service number; a second letter counts for the check where it is A, B or H."""
    if not _PPS.match(code):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), code[:7], strict=True))
    counted = 9 * (ord(code[8]) - ord("A") + 1) if code[8:] in {"A", "B", "H"} else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(total + counted) % 23] == code[7]


def is_my_number(digits: str) -> bool:
    """A Japanese individual number: twelve digits, the last a check mod 11."""
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(digits[:11]), 1))
    rest = total % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest) and len(set(digits)) > 2


def is_ric(code: str) -> bool:
    """A Chinese resident number: a date and ISO 7064 mod 11-2."""
    if not code[:17].isdigit() or not is_date(code[6:14]):
        return False
    total = sum((10 if sign == "X" else int(sign)) * pow(2, 17 - at, 11) for at, sign in enumerate(code))
    return total % 11 == 1


def is_date(eight: str) -> bool:
    """YYYYMMDD of the last hundred and twenty years."""
    try:
        return date(1900, 1, 1) <= date(int(eight[:4]), int(eight[4:6]), int(eight[6:])) <= date(2040, 1, 1)
    except ValueError:
        return False


def passes_mrz(field: str, check: str) -> bool:
    """ICAO 9303 part 3, 4.9: weights 7, 3, 1 over digits, letters from 10 and `<` as 0."""
    if not check.isdigit() and check != "<":
        return False
    values = (0 if sign == "<" else int(sign, 36) for sign in field)
    total = sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values))
    return total % 10 == (0 if check == "<" else int(check))


def _any(*checks: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda number: any(check(number) for check in checks)


# Class of the lexicon → (lengths in digits or letters and digits, check).
FOREIGN: Final[Mapping[str, tuple[frozenset[int], Callable[[str], bool]]]] = MappingProxyType(
    {
        "nino": (frozenset({9}), is_nino),
        "utr": (frozenset({10}), stdnum.gb.utr.is_valid),
        "sin": (frozenset({9}), stdnum.ca.sin.is_valid),
        "idnr": (frozenset({11}), stdnum.de.idnr.is_valid),
        "spi": (frozenset({13}), stdnum.fr.nif.is_valid),
        "nir": (frozenset({15}), stdnum.fr.nir.is_valid),
        "dni": (frozenset({9}), _any(is_dni, is_nie)),
        "nie": (frozenset({9}), is_nie),
        "cf": (frozenset({16}), stdnum.it.codicefiscale.is_valid),
        "bsn": (frozenset({8, 9}), stdnum.nl.bsn.is_valid),
        "tfn": (frozenset({8, 9}), stdnum.au.tfn.is_valid),
        "my_number": (frozenset({12}), is_my_number),
        "cpf": (frozenset({11}), stdnum.br.cpf.is_valid),
        "cnpj": (frozenset({14}), stdnum.br.cnpj.is_valid),
        "personnummer": (
            frozenset({10, 12}),
            lambda number: stdnum.se.personnummer.is_valid(number[:-4] + "-" + number[-4:]),
        ),
        "pps": (frozenset({8, 9}), is_pps),
        "rfc": (frozenset({12, 13}), lambda number: stdnum.mx.rfc.is_valid(number, validate_check_digits=False)),
        "curp": (frozenset({18}), stdnum.mx.curp.is_valid),
        "pan": (frozenset({10}), stdnum.in_.pan.is_valid),
        "aadhaar": (frozenset({12}), stdnum.in_.aadhaar.is_valid),
        "pesel": (frozenset({11}), stdnum.pl.pesel.is_valid),
        "ahv": (frozenset({13}), stdnum.ch.ssn.is_valid),
        "nifpt": (frozenset({9}), stdnum.pt.nif.is_valid),
        "nn": (frozenset({11}), stdnum.be.nn.is_valid),
        "cpr": (frozenset({10}), stdnum.dk.cpr.is_valid),
        "fodselsnummer": (frozenset({11}), stdnum.no.fodselsnummer.is_valid),
        "hetu": (frozenset({11}), lambda number: stdnum.fi.hetu.is_valid(number[:6] + "-" + number[6:])),
        "rrn": (frozenset({13}), stdnum.kr.rrn.is_valid),
        "ric": (frozenset({18}), is_ric),
        "ird": (frozenset({8, 9}), stdnum.nz.ird.is_valid),
        "teudat": (frozenset({8, 9}), stdnum.il.idnr.is_valid),
        "inn": (frozenset({10, 12}), stdnum.ru.inn.is_valid),
        "snils": (frozenset({11}), lambda _number: True),
        "cuit": (frozenset({11}), stdnum.ar.cuit.is_valid),
        "rut": (frozenset({8, 9}), stdnum.cl.rut.is_valid),
        "tckn": (frozenset({11}), stdnum.tr.tckimlik.is_valid),
        "svnr": (frozenset({10}), stdnum.at.vnr.is_valid),
        "foreign": (frozenset(range(7, 15)), lambda _number: True),
    }
)
