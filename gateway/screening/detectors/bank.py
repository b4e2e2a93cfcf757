"""Bank accounts: IBAN by its check, a routing number beside an account, an account number by its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening import validators
from gateway.screening.context import Scan
from gateway.screening.detectors.evidence import labelled, surroundings
from gateway.screening.lexicon import LEXICON, Label
from gateway.screening.weighing import Sighting

_ACCOUNT: Final = re.compile(r"(?<![\w.$/])\d(?:[ -]?\d){5,18}(?![\w%/]|[.,]\d)")
_ROUTING: Final = re.compile(r"(?<![\w.$/])\d(?:[ -]?\d){8}(?![\w%/]|[.,]\d)")
_SORT_CODE: Final = re.compile(r"(?<![\w.$/-])\d\d[- ]\d\d[- ]\d\d(?![\w%/-])")
_NEAR: Final = 240  # characters around an account in which words of banking count
_IBAN_SIGNS: Final = 34


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of IBANs and of bank accounts."""
    yield from _ibans(scan)
    for number in scan.numbers:
        if len(number.digits) == 9 and validators.is_aba(number.digits):
            around = scan.around(number.start, number.end)
            close = around.closest({"routing"})
            if close > 0.3:
                features = surroundings(scan, around, number.start) | {"routing": close, "checked": 1.0}
                features["other"] = 0.0
                yield Sighting(Kind.BANK, "bank", features, number.digits)
    for label in scan.heads:
        if label.name == "account":
            yield from _accounts(scan, label)
        elif label.name == "bank" and scan.text[label.start : label.end].lower() in {"sort code", "sortcode"}:
            for match, close in scan.beside(label, _SORT_CODE):
                yield Sighting(Kind.BANK, "bank", {"named": close, "bank": 1.0}, match.group())


def _ibans(scan: Scan) -> Iterator[Sighting]:
    for code in scan.codes():
        if "iban" not in code.shapes:
            continue
        iban = validators.find_iban(code.value)
        if iban and not validators.is_sample_iban(iban):
            yield Sighting(Kind.IBAN, "bank", {}, iban, proved=True)


def _accounts(scan: Scan, label: Label) -> Iterator[Sighting]:
    for match, close in scan.beside(label, _ACCOUNT, 50):
        around = scan.around(*match.span())
        digits = re.sub(r"\D", "", match.group())
        if around.closest({"account"}) < 0.3 and close < 0.9:
            continue
        features = labelled(scan, *match.span(), close) | _banking(scan, match.start())
        features |= {"short": 1.0 if len(digits) < 8 else 0.0}
        features.pop("alone", None)
        yield Sighting(Kind.BANK, "bank", features, digits)


def _banking(scan: Scan, at: int) -> dict[str, float]:
    """Words of banking near, and whether a valid routing number stands there too."""
    start, end = max(0, at - _NEAR), min(len(scan.text), at + _NEAR)
    names = {label.name for label in LEXICON.labels(scan.text, start, end)}
    features = {"bank": 1.0 if names & {"bank", "routing", "iban"} else 0.0}
    if "routing" in names:
        numbers = (re.sub(r"\D", "", found.group()) for found in _ROUTING.finditer(scan.text, start, end))
        features["routed"] = 1.0 if any(map(validators.is_aba, numbers)) else 0.0
    if re.search(r"(?i)\b(?:bank|checking|savings|acct)\b", scan.text[max(0, at - 60) : at]):
        features["bank"] = 1.0
    return features
