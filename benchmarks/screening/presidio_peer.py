"""Run by the peer's own Python: judge texts with Presidio at its defaults and with all its recognisers."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

_DEFAULTS = ("US_SSN", "US_ITIN", "CREDIT_CARD", "IBAN_CODE", "US_BANK_NUMBER", "US_PASSPORT")
_SCORE = 0.5
# What it knows that is nobody's taxpayer data.
_NOT_ASKED = frozenset(
    "PERSON LOCATION DATE_TIME NRP URL EMAIL_ADDRESS PHONE_NUMBER IP_ADDRESS MAC_ADDRESS CRYPTO ORGANIZATION".split()
)


def main() -> None:
    import spacy.util
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    english = next((name for name in spacy.util.get_installed_models() if name.startswith("en_")), None)
    if english is None:
        sys.exit("no English model of spaCy is installed beside it")
    model = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": english}]}
    nlp = NlpEngineProvider(nlp_configuration=model).create_engine()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(nlp_engine=nlp)
    engine = AnalyzerEngine(registry=registry, nlp_engine=nlp)
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    everything = [name for name in engine.get_supported_entities("en") if name not in _NOT_ASKED]
    for title, entities, score in (
        ("presidio, defaults", list(_DEFAULTS), _SCORE),
        ("presidio, all recognisers", everything, 0.0),
    ):
        print(_row(title, rows, engine, entities, score))


def _row(title: str, rows: list[dict[str, str]], engine: Any, entities: list[str], score: float) -> str:
    found = {"tainted": 0, "clean": 0}
    total = {"tainted": 0, "clean": 0}
    spent: list[float] = []
    for row in rows:
        started = time.perf_counter()
        hit = engine.analyze(text=row["text"][:100_000], entities=entities, language="en", score_threshold=score)
        spent.append((time.perf_counter() - started) * 1000)
        total[row["wanted"]] += 1
        found[row["wanted"]] += bool(hit)
    spent.sort()
    return (
        f"{title:<28} recall {found['tainted'] / max(total['tainted'], 1):.1%}, false alarms {found['clean'] / max(total['clean'], 1):.1%}, "
        f"p50 {spent[len(spent) // 2]:.1f} ms, p99 {spent[int(len(spent) * 0.99)]:.1f} ms"
    )


if __name__ == "__main__":
    main()
