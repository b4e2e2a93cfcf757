"""Writes docs/rights.md from the code: `python -m tests.docs.rights_page` after a right or a route has changed."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.casework.administration import VERBS, wanted_of
from gateway.domain.rights import GRANTS, OPERATOR, Thing, Verb, may
from gateway.portal.admission import ADMISSION, Ask
from tests.docs.sources import ROOT
from tests.personas import CASE, NOW_US, Persona, personas

PAGE = ROOT / "docs" / "rights.md"
HEAD = """# Rights

Who may do what, printed from the code by `python -m tests.docs.rights_page` and held to it by a test; another test asks
every route of the portal as everyone on this page. A change of a cell is a change of the rules: read it as one.

One function answers, `domain.rights.may`: from rows that the keyholder has signed, at each request, with the present
instant. What is absent and what is forbidden look the same. Every instant is exact: a right that ends at midnight of
the programme's zone ends then, in open pages, and in running downloads within five seconds.
"""
_CASE_VERBS = (Verb.READ, Verb.WRITE, Verb.READ_AS_RECEIVED, Verb.TEND, Verb.FILE)
_OTHER_VERBS = (Verb.WORK_TRAY, Verb.ENROL, Verb.ADMINISTER, Verb.KEEP_APP_PASSWORDS, Verb.STATE_PURPOSE, Verb.CONFIRM)
_VERBS = (*_CASE_VERBS, *_OTHER_VERBS)


def page() -> str:
    """The page as it should be."""
    return "\n".join(
        [
            HEAD,
            "## What a capacity gives",
            "",
            "What somebody is to a thing, now. A person can be several at once.",
            "",
            *table(["capacity", "verbs"], ([one.value, verbs(GRANTS[one])] for one in GRANTS)),
            "",
            "## Role, state, verb",
            "",
            "To a case that is open; the last columns are of the programme, and of one's own.",
            "Nobody writes to a case that is closed.",
            "",
            *table(["role", "state", *(verb.value for verb in _VERBS)], rows()),
            "",
            "## Routes of the portal",
            "",
            *table(["route", "asks for"], ([f"`{route}`", asked(what)] for route, what in ADMISSION.items())),
            "",
            "## Verbs of the keyholder",
            "",
            "Each asks for one right, on the programme or the person that it names; some one may do about oneself.",
            "",
            *table(["verb", "asks for"], ([f"`{verb}`", ", or ".join(wanted_of(verb))] for verb in sorted(VERBS))),
            "",
        ]
    )


def rows() -> Iterable[list[str]]:
    """A row for everyone, a cell for every verb."""
    yield ["operator", "", *(mark(may(OPERATOR, verb, thing_of(verb), NOW_US)) for verb in _VERBS)]
    for persona in personas():
        yield [persona.role, persona.state, *(mark(allowed(persona, verb)) for verb in _VERBS)]


def allowed(persona: Persona, verb: Verb) -> bool:
    """What the function says of a persona."""
    return may(persona.holder, verb, thing_of(verb), NOW_US)


def thing_of(verb: Verb) -> Thing:
    """What a verb is asked for on this page."""
    if verb in _CASE_VERBS:
        return Thing("cwa", CASE)
    return Thing("cwa", person_id="p")


def asked(what: object) -> str:
    return f"{what.verb.value}, of {what.of.value}" if isinstance(what, Ask) else str(what)


def verbs(granted: Iterable[Verb]) -> str:
    return ", ".join(verb.value for verb in Verb if verb in set(granted))


def mark(is_allowed: bool) -> str:
    return "yes" if is_allowed else "–"


def table(heads: list[str], lines: Iterable[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"| {' | '.join('---' for _ in heads)} |",
        *(f"| {' | '.join(line)} |" for line in lines),
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
