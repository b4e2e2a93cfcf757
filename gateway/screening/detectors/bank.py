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
from gateway.screening.numbers import Number
from gateway.screening.weighing import Sighting

_ACCOUNT: Final = re.compile(r"(?<![\w.$/])\d(?:(?:[ -]?\d){5,18}|(?:\.\d){5,18})(?![\w%/]|[.,]\d)")
_ROUTING: Final = re.compile(r"(?<![\w.$/])\d(?:[ -]?\d){8}(?![\w%/]|[.,]\d)")
_FOLLOWING: Final = re.compile(r"\s{0,2}[/|,;:]\s{0,2}\d(?:[ -]?\d){5,16}(?![\d-])")  # "021000021 / 12345678"
_SORT_CODE: Final = re.compile(r"(?<![\w.$/-])\d\d[- ]\d\d[- ]\d\d(?![\w%/-])")
_NEAR: Final = 240  # characters around an account in which words of banking count
_IBAN_SIGNS: Final = 34
_BANK: Final = re.compile(
    r"bank|\b(?:checking|savings|deposit|beneficiary|banc\w*|banqu\w*|chase|citi|wells fargo|clabe|swift|bic)\b",
    re.IGNORECASE,
)
_VERBS: Final = frozenset({"checking", "chequing", "savings"})  # an account only beside a routing number
_CUSTOMER: Final = re.compile(
    r"\b(?:customer|bill|billing|service|utility|electric|gas|water|internet|subscri\w+|amount due|invoices?|meter|"
    r"loyalty|rewards|user|login|tenant|aws|cloud|premium|policy|patient|vendor)\b",
    re.IGNORECASE,
)


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of IBANs and of bank accounts."""
    yield from _ibans(scan)
    for number in scan.numbers:
        if len(number.digits) == 9 and validators.is_aba(number.digits) and _may_route(scan, number):
            around = scan.around(number.start, number.end)
            close = around.closest({"routing"})
            if close < 0.9 and _FOLLOWING.match(scan.text, number.end):
                close = max(close, 0.9 * around.closest({"bank", "account"}))
            if close > 0.3 and _has_account(scan, number.start, number.end):
                features = surroundings(scan, around, number.start) | {"routing": close, "checked": 1.0}
                features["other"] = 0.0
                yield Sighting(Kind.BANK, "bank", features, number.digits)
    for label in scan.heads:
        if label.name == "account":
            yield from _accounts(scan, label)
        elif label.name == "bank" and scan.text[label.start : label.end].lower() in {"sort code", "sortcode"}:
            for match, close in scan.beside(label, _SORT_CODE):
                yield Sighting(Kind.BANK, "bank", {"named": close, "bank": 1.0}, match.group())


def _may_route(scan: Scan, number: Number) -> bool:
    """Whether a routing number may be spoken of at a number, or an account follows it."""
    return "routing" in scan.may_say(number.start, number.end) or _FOLLOWING.match(scan.text, number.end) is not None


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
        features = labelled(scan, *match.span(), close) | _banking(scan, match.start(), label)
        if scan.text[label.start : label.end].lower() in _VERBS and not features.get("routed"):
            continue  # "checking 4000 boxes"
        features |= {"short": 1.0 if len(digits) < 8 else 0.0}
        features.pop("alone", None)
        yield Sighting(Kind.BANK, "bank", features, digits)


def _banking(scan: Scan, at: int, label: Label) -> dict[str, float]:
    """Words of banking near or in the label, a valid routing number, and words of other trades' customers."""
    start, end = max(0, at - _NEAR), min(len(scan.text), at + _NEAR)
    names = {label.name for label in LEXICON.labels(scan.text, start, end)}
    said = f"{scan.text[label.start : label.end]} {scan.text[max(0, at - 60) : at]}"
    features = {"bank": 1.0 if names & {"bank", "routing", "iban"} or _BANK.search(said) else 0.0}
    if "routing" in names:
        beside = max(start, at - 100), min(end, at + 100)
        numbers = (re.sub(r"\D", "", found.group()) for found in _ROUTING.finditer(scan.text, *beside))
        features["routed"] = 1.0 if any(map(validators.is_aba, numbers)) else 0.0
    first = max(scan.text.rfind("\n\n", 0, at), at - 120, 0)
    last = scan.text.find("\n\n", at, at + 120)
    if not features.get("routed") and _CUSTOMER.search(scan.text, first, last if last > 0 else min(end, at + 120)):
        features["customer"] = 1.0
        if not _BANK.search(scan.text, label.start, label.end):
            features["bank"] = 0.0  # a customer's account of another trade
    return features


def _has_account(scan: Scan, start: int, end: int) -> bool:
    """Whether an account stands near a routing number; alone it is a bank's public number."""
    for label in LEXICON.labels(scan.text, max(0, start - _NEAR), min(len(scan.text), end + _NEAR)):
        if label.name == "account":
            number = _ACCOUNT.search(scan.text, label.end, label.end + 40)
            bill = _CUSTOMER.search(scan.text, max(0, label.start - 40), label.start)
            if number and number.start() != start and not bill:
                return True
    return _FOLLOWING.match(scan.text, end) is not None
