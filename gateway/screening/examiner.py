"""The examiner of one mail: takes chunks in any order, weighs what the detectors see, gives the verdict.

Evidence of one place speaks for another: "my SSN" in the subject makes nine bare digits in the body a finding. Numbers
are held for the time of the examination only, to count each once; neither findings nor errors carry them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import re2

from gateway.domain.verdict import Finding, Kind, Strength, Unreadable, Verdict
from gateway.screening import fragments
from gateway.screening.chunk import Chunk, Form
from gateway.screening.context import Scan
from gateway.screening.detectors import DETECTORS
from gateway.screening.normalise import read_views
from gateway.screening.policy import Policy
from gateway.screening.sieve import sifted
from gateway.screening.spans import finds
from gateway.screening.view import Reading, View
from gateway.screening.weighing import WEIGHTS, Doubt, Sighting, logit_of, probability, weigh

_CERTAIN: Final = 0.95
_STRONG: Final = 0.7
_MOST: Final = 20_000  # sightings kept of one mail
_MOST_HELD: Final = 4_000_000  # octets of views that are kept until all labels are known
_MOST_OF_A_KIND: Final = 1_000  # of one kind in one place, when they already count
_PERSONAL: Final = frozenset({Kind.BIRTH_DATE, Kind.PASSPORT, Kind.SSN, Kind.ITIN})
_BULK: Final = sifted(
    re2.compile(
        rb"(?i)unsubscribe|view (?:this email|in your browser)|manage (?:your )?preferences|abmelden|"
        rb"darse de baja|desabonner|list-id|opt[- ]out"
    )
)


_Key = tuple[Kind, str, str, str]  # kind, place, number, family of the detector


class Examiner:
    """Collects sightings chunk by chunk. Not thread-safe: one mail, one examiner.

    One that `looks_at_all` puts nothing off that hardly counts: for who compares numbers with known ones.
    """

    def __init__(self, policy: Policy, *, looks_at_all: bool = False) -> None:
        self._looks_at_all = looks_at_all
        self._policy = policy
        self._sightings: dict[_Key, Sighting] = {}
        self._doubts: list[tuple[Doubt, View]] = []
        self._held = 0  # octets of the views that they are of
        self._least = min(0.0, logit_of(policy.threshold))  # evidence below it says nothing, not even of a person
        self._unreadable: list[Unreadable] = []
        self._labels: dict[str, set[str]] = {}  # class of a label → places where it stands
        self._pieces: list[tuple[str, fragments.Piece]] = []
        self._empty: set[int] = set()  # views in which nothing was seen: mail says many things twice
        self._vain: dict[int, set[int]] = {}  # the same of chunks, by their length: it takes long to hash a long one
        self._examined: set[int] = set()  # views with their places
        self._bulk = False
        self._certain = False
        self._settled: Counter[tuple[Kind, str]] = Counter()

    def __repr__(self) -> str:
        return f"<Examiner: {len(self._sightings)} sightings>"

    @property
    def is_certain(self) -> bool:
        """Whether what has been taken already decides the verdict."""
        return self._certain

    def take(self, item: Chunk | Unreadable) -> None:
        """Examine one chunk, or note a place that could not be read."""
        if isinstance(item, Unreadable):
            self._unreadable.append(item)
            return
        alike = self._vain.get(len(item.text), ())
        if alike and hash((item.text, item.form)) in alike:
            return
        before = self._seen
        for view in read_views(item):
            self._examine_once(view)
        if self._seen == before:
            self._vain.setdefault(len(item.text), set()).add(hash((item.text, item.form)))

    def verdict(self) -> Verdict:
        """What follows from everything taken so far."""
        if len({place for place, _ in self._pieces}) > 1:
            self._examine_joined([piece for _, piece in self._pieces], self._pieces[0][0])
        self._settle_doubts()
        mail = self._mail_features()
        sightings = self._without_echoes(mail)
        counted: dict[tuple[Kind, str], list[float]] = {}
        proofs: set[tuple[Kind, str]] = set()
        for (kind, place, _, _), sighting in sightings.items():
            odds = self._odds(sighting, place, mail)
            if odds < self._policy.threshold:
                continue
            counted.setdefault((kind, place), []).append(odds)
            if sighting.proved:
                proofs.add((kind, place))
        findings = tuple(
            Finding(kind, place, Strength.PROOF if (kind, place) in proofs else _strength(max(odds)), len(odds))
            for (kind, place), odds in sorted(counted.items())
        )
        return Verdict(findings, tuple(self._unreadable))

    def numbers(self) -> frozenset[str]:
        """All taxpayers' numbers seen; of one that `looks_at_all` also where little speaks for their being any."""
        return frozenset(number for _, _, number, family in self._sightings if family == "taxpayer")

    @property
    def _seen(self) -> int:
        return len(self._sightings) + len(self._doubts)

    def _examine_once(self, view: View) -> None:
        """Examine a view, unless it was, here, or elsewhere in vain: markup without a tag is read as text too."""
        told = hash((view.octets, view.reading, Form.TEXT if view.form is Form.HTML else view.form))
        here = hash((told, view.place))
        if told in self._empty or here in self._examined:
            return
        self._examined.add(here)
        before = self._seen
        self._examine(view)
        if self._seen == before:
            self._empty.add(told)

    def _examine(self, view: View) -> None:
        scan = Scan(view)
        self._note(scan)
        for detect in DETECTORS:
            for found in detect(scan):
                if isinstance(found, Sighting):
                    self._add(found, view.place)
                else:
                    self._put_off(found, view)

    def _put_off(self, doubt: Doubt, view: View) -> None:
        """Look at what may count now, and keep the rest for when all labels of the mail are known."""
        if self._looks_at_all or doubt.most >= self._least or self._held > _MOST_HELD:
            for sighting in doubt.look():
                self._add(sighting, view.place)
        elif len(self._doubts) < _MOST:
            if not self._doubts or self._doubts[-1][1] is not view:
                self._held += len(view.octets)
            self._doubts.append((doubt, view))

    def _settle_doubts(self) -> None:
        """Look at what a label elsewhere in the mail may make count."""
        known: dict[tuple[frozenset[str], str], float] = {}
        for doubt, view in self._doubts:
            asked = doubt.labels, view.place
            if asked not in known:
                known[asked] = max((self._elsewhere(name, view.place) for name in doubt.labels), default=0.0)
            elsewhere = known[asked]
            most = 1.0 if view.reading is Reading.JOINED else elsewhere  # see _odds
            if elsewhere and doubt.most + most * WEIGHTS[doubt.family]["mail_named"] >= self._least:
                for sighting in doubt.look():
                    self._add(sighting, view.place)
        self._doubts.clear()

    def _add(self, sighting: Sighting, place: str) -> None:
        if self._policy.allows(sighting.kind, sighting.key) or len(self._sightings) >= _MOST:
            return
        if self._settled[sighting.kind, place] >= _MOST_OF_A_KIND:
            return
        key = (sighting.kind, place, sighting.key, sighting.family)
        known = self._sightings.get(key)
        if known is None or known.logit < sighting.logit:
            self._sightings[key] = sighting
            odds = probability(sighting.logit)
            if odds >= self._policy.threshold:
                self._settled[sighting.kind, place] += known is None
                self._certain = self._certain or sighting.proved or odds >= _CERTAIN

    def _note(self, scan: Scan) -> None:
        """Remember what a view says for numbers elsewhere in the mail."""
        view = scan.view
        for label in scan.heads:
            self._labels.setdefault(label.name, set()).add(f"{view.place}|{view.form.value}")
        if view.has_digits and view.reading is Reading.PLAIN:
            pieces = fragments.find_pieces(view)
            self._pieces += [(view.place, piece) for piece in pieces[:50]]
            self._examine_joined(pieces, view.place)
        self._bulk = self._bulk or (view.may_match(_BULK) and finds(_BULK, view.octets))

    def _examine_joined(self, pieces: list[fragments.Piece], place: str) -> None:
        """Look at the numbers that pieces make, of one text or of several places of the mail."""
        numbers = sorted(fragments.join(pieces))
        if numbers:
            self._examine(View("\n\n".join(numbers).encode(), place, Form.TEXT, Reading.JOINED))

    def _without_echoes(self, mail: dict[str, float]) -> dict[_Key, Sighting]:
        """Each number of a place counts for the kind that it most likely is."""
        best: dict[tuple[str, str], tuple[float, _Key]] = {}
        for key, sighting in self._sightings.items():
            spot = (key[1], re.sub(r"\D", "", key[2]) or key[2])
            odds = self._odds(sighting, key[1], mail)
            if spot not in best or best[spot][0] < odds:
                best[spot] = odds, key
        return {key: self._sightings[key] for _, key in best.values()}

    def _mail_features(self) -> dict[str, float]:
        persons = {
            kind for (kind, _, _, _), sighting in self._sightings.items() if kind in _PERSONAL and sighting.logit > 0
        }
        return {"mail_bulk": 1.0 if self._bulk else 0.0, "mail_person": 1.0 if persons else 0.0}

    def _odds(self, sighting: Sighting, place: str, mail: dict[str, float]) -> float:
        if sighting.proved:
            return 1.0
        features = dict(sighting.features) | mail
        if place.startswith("attachment"):
            features["mail_bulk"] = 0.0  # what a newsletter's footer says is not said of files
        if mail["mail_person"] and sighting.kind in _PERSONAL and sighting.logit > 0:
            features["mail_person"] = 0.0
        if max(features.get("named", 0.0), features.get("tin", 0.0)) < 0.5:
            elsewhere = max((self._elsewhere(name, place) for name in sighting.labels), default=0.0)
            if features.keys() & {"odd", "triples"}:
                elsewhere *= 0.4
            features["mail_named"] = 1.0 if elsewhere and "joined" in features else elsewhere
        return probability(weigh(sighting.family, features))

    def _elsewhere(self, name: str, place: str) -> float:
        """How much a label elsewhere says: most in a subject or a file name, less somewhere in the same text."""
        spots = self._labels.get(name, set())
        told = {"header", "file name"}
        if any(spot.rpartition("|")[2] in told for spot in spots):
            return 1.0
        if any(spot.rpartition("|")[0] != place for spot in spots):
            return 0.6
        return 0.4 if spots else 0.0


def _strength(odds: float) -> Strength:
    return Strength.STRONG if odds >= _STRONG else Strength.WEAK
