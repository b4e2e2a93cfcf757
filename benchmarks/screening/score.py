"""What the answers amount to: recall by kind, place, disguise, style; precision; false alarms; times; goals."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.screening.drive import Answer

PAGES = frozenset(
    {"pdf scan", "png", "jpg", "fax fine", "fax standard", "comb form", "form scan", "rotated scan", "heic"}
)
LIGHT = 100_000  # octets of a mail that counts as text mail


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`; a share of nothing is None."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    def __str__(self) -> str:
        return f"{100 * self.part / self.whole:6.2f} % ({self.part}/{self.whole})" if self.whole else "     - (0)"


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal and what was measured; `met` is None when nothing was measured."""

    name: str
    wanted: str
    measured: str
    met: bool | None


def share(answers: Iterable[Answer], holds: Callable[[Answer], bool]) -> Share:
    seen = list(answers)
    return Share(sum(map(holds, seen)), len(seen))


def tainted(answer: Answer) -> bool:
    """Whether the data was found; a mail that two readers read in two ways may as well be refused for that."""
    return answer.verdict == "tainted" or (
        answer.verdict == "unscreenable" and answer.label.place.startswith("structure: ")
    )


def refused(answer: Answer) -> bool:
    return answer.verdict != "clean"


def named(answer: Answer) -> bool:
    """Whether a kind was said that the label allows."""
    return bool(answer.kinds & set(answer.label.kinds))


def of(answers: Sequence[Answer], wanted: str, **is_: str) -> list[Answer]:
    return [
        each
        for each in answers
        if each.label.wanted == wanted and all(getattr(each.label, key) == value for key, value in is_.items())
    ]


def grouped(answers: Iterable[Answer], key: Callable[[Answer], str]) -> dict[str, list[Answer]]:
    made: defaultdict[str, list[Answer]] = defaultdict(list)
    for each in answers:
        made[key(each)].append(each)
    return dict(sorted(made.items()))


def recall(answers: Sequence[Answer]) -> Share:
    return share(of(answers, "tainted"), tainted)


def false_alarms(answers: Sequence[Answer], *, misleading: bool = True) -> Share:
    """Clean mail that was refused, whatever for; without `misleading` that of a firm's ordinary days only."""
    return share((each for each in of(answers, "clean") if misleading or each.label.group != "misleading"), refused)


def precision(answers: Sequence[Answer]) -> Share:
    said = [each for each in answers if tainted(each)]
    return share(said, lambda each: each.label.wanted == "tainted")


def centile(values: Sequence[float], at: float) -> float:
    """The value below which `at` (0..1) of them lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(at * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def times(answers: Sequence[Answer], *, pages: bool) -> list[float]:
    """Milliseconds of mails with a page to read, or of light mails of text."""
    if pages:
        return [each.took for each in answers if each.label.place in PAGES]
    text = (each for each in answers if each.label.place not in PAGES and each.octets < LIGHT)
    return [each.took for each in text if each.label.group != "attached"]


def _at_least(name: str, made: Share, floor: float) -> Goal:
    met = None if made.value is None else made.value >= floor
    return Goal(name, f"≥ {floor:.0%}", str(made).strip(), met)


def _at_most(name: str, made: Share, ceiling: float) -> Goal:
    met = None if made.value is None else made.value <= ceiling
    return Goal(name, f"≤ {ceiling:.1%}", str(made).strip(), met)


def _within(name: str, values: Sequence[float], at: float, limit: float) -> Goal:
    made = centile(values, at)
    return Goal(name, f"≤ {limit:g} ms", f"{made:.1f} ms of {len(values)}", made <= limit if values else None)


def goals(answers: Sequence[Answer], rate: float | None) -> list[Goal]:
    """The goals in order; `rate` is megabytes of text a second."""
    planted = of(answers, "tainted")
    places = {place: recall(each) for place, each in grouped(planted, lambda one: one.label.place).items()}
    # One mail that was missed says little of a place that was drawn three times.
    low = [place for place, made in places.items() if (made.value or 0) < 0.85 and made.whole - made.part > 1]
    ssn = [each for each in planted if each.label.variant in {"ssn", "itin"}]
    ambiguous = share(
        (each for each in of(answers, "clean") if each.label.group != "misleading"),
        lambda each: each.reason.startswith("ambiguous"),
    )
    text, pages = times(answers, pages=False), times(answers, pages=True)
    return [
        *(_at_least(f"recall, {tier}", recall(of(answers, "tainted", tier=tier)), floor) for tier, floor in (("ordinary", 0.99), ("contained", 0.97), ("hidden", 0.90))),
        _at_least("recall, SSN and ITIN", recall(ssn), 0.97),
        Goal("every place", "≥ 85%", f"{len(places) - len(low)}/{len(places)} places", not low if places else None),
        _at_most("false alarms, all", false_alarms(answers), 0.02), _at_most("false alarms, ordinary mail", false_alarms(answers, misleading=False), 0.005),
        _at_most("ambiguity refusals, ordinary mail", ambiguous, 0.005), _at_least("unscreenable refused", share(of(answers, "unscreenable"), refused), 1.0),
        _within("text mail p50", text, 0.5, 4), _within("text mail p99", text, 0.99, 30), _within("page p50", pages, 0.5, 1200), _within("page p99", pages, 0.99, 4000),
        Goal("text", "≥ 20 MB/s", "not run" if rate is None else f"{rate:.1f} MB/s", None if rate is None else rate >= 20),
    ]  # fmt: skip


def table(answers: Sequence[Answer], rate: float | None) -> list[str]:
    """All lines of the report."""
    planted = of(answers, "tainted")
    lines = [
        f"{len(answers)} mails: {len(planted)} with data, {len(of(answers, 'clean'))} clean, {len(of(answers, 'unscreenable'))} unscreenable",
        "",
    ]
    keys: dict[str, Callable[[Answer], str]] = {
        "tier": lambda one: one.label.tier, "kind": lambda one: one.label.kinds[0], "variant": lambda one: one.label.variant, "place": lambda one: one.label.place,
        "disguise": lambda one: one.label.disguise, "style": lambda one: one.label.style, "language": lambda one: one.label.language,
    }  # fmt: skip
    for name, key in keys.items():
        lines += [
            f"by {name:<24} {'recall':<20} {'refused':<10} {'kind right':<10}",
            *(_row(value, each) for value, each in grouped(planted, key).items()),
            "",
        ]
    lines += [f"recall     {recall(answers)}", f"precision  {precision(answers)}", ""]
    lines += ["clean mail refused, by group and topic", *_alarms(answers), ""]
    lines += ["unscreenable mail refused, by what", *_unscreenables(answers), ""]
    wall = [each.wall for each in answers]
    lines.append(
        f"wall clock a mail: p50 {centile(wall, 0.5):.1f} ms, p99 {centile(wall, 0.99):.1f} ms, mean {statistics.fmean(wall or [0]):.1f} ms"
    )
    lines += [
        "",
        "goals",
        *(f"  {_mark(goal)} {goal.name:<36} {goal.wanted:<10} {goal.measured}" for goal in goals(answers, rate)),
    ]
    return lines


def _mark(goal: Goal) -> str:
    return "-     " if goal.met is None else "met   " if goal.met else "missed"


def _row(name: str, answers: Sequence[Answer]) -> str:
    found, stopped = share(answers, tainted), share(answers, refused)
    right = share([each for each in answers if tainted(each)], named)
    return f"  {name:<25} {found!s:<20} {_percent(stopped):<10} {_percent(right):<10}"


def _percent(made: Share) -> str:
    return "-" if made.value is None else f"{made.value:.1%}"


def _alarms(answers: Sequence[Answer]) -> list[str]:
    lines = []
    for group, each in grouped(of(answers, "clean"), lambda one: one.label.group).items():
        lines.append(
            f"  {group:<25} {share(each, refused)}  of these unscreenable {_percent(share(each, lambda one: one.verdict == 'unscreenable'))}"
        )
        for topic, few in grouped(each, lambda one: f"{one.label.variant}/{one.label.place}").items():
            if any(map(refused, few)):
                said = Counter(
                    kind for one in few if refused(one) for kind in (one.kinds or {one.reason or one.verdict})
                )
                lines.append(
                    f"    {topic:<30} {share(few, refused)}  {', '.join(f'{kind} {count}' for kind, count in said.most_common(4))}"
                )
    return lines


def _unscreenables(answers: Sequence[Answer]) -> list[str]:
    lines = []
    for what, each in grouped(of(answers, "unscreenable"), lambda one: one.label.variant).items():
        said = Counter((one.reason.split() or [one.verdict])[0].rstrip(":,") for one in each)
        lines.append(
            f"  {what:<25} {share(each, refused)}  {', '.join(f'{word} {count}' for word, count in said.most_common(4))}"
        )
    return lines
