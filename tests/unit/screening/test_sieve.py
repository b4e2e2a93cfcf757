"""Quick ways of finding what many patterns, or one pattern many times, find one by one."""

from __future__ import annotations

import re

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.screening import candidates, facts, fragments, lexicon, numberwords, sieve
from gateway.screening.lexicon import LEXICON
from gateway.screening.sieve import LONG, matching
from gateway.screening.spans import find_spans, finds
from gateway.screening.view import View

PHRASES = sorted({phrase for phrases in LEXICON.phrases.values() for phrase in phrases})
WORDS = st.sampled_from((*PHRASES, *sorted(facts.FACTS.pattern.decode().split("|"))[:40], *sorted(fragments.ORDER)))
SPOKEN = st.sampled_from(sorted(numberwords.WORDS))
SIGNS = st.sampled_from(
    (" ", " ", ".", "\n", "-", "'s ", "7", "%31", "\\x32", "=33", "unsubscribe", "r e v e r s e d 1 2")
)
TEXTS = st.lists(st.one_of(WORDS, SPOKEN, SIGNS), max_size=30).map(" ".join).map(lambda text: text.encode("ascii"))


@settings(max_examples=60)
@given(TEXTS)
def test_the_sieve_tells_each_pattern_that_matches_and_no_other(octets: bytes) -> None:
    patterns, _ = sieve._sieve()
    assert matching(octets) == {pattern for pattern in patterns if pattern.search(octets)}


@given(TEXTS)
def test_spans_are_those_of_all_matches(octets: bytes) -> None:
    for pattern in (facts.FACTS, fragments.GATE, numberwords.RUN):
        assert list(find_spans(pattern, octets)) == [match.span() for match in pattern.finditer(octets)]
        assert list(find_spans(pattern, octets, 3, 40)) == [match.span() for match in pattern.finditer(octets, 3, 40)]
        assert finds(pattern, octets) == (pattern.search(octets) is not None)


def test_of_a_long_text_it_is_known_what_matches_and_of_a_short_one_not() -> None:
    dull, told = b"Nothing is said in this line.\n" * (LONG // 25), b" the last four digits are 6789"
    assert not View(dull, "body").may_match(fragments.GATE)
    assert View(dull + told, "body").may_match(fragments.GATE)
    assert View(b"", "body").may_match(fragments.GATE)


def test_the_sieve_holds_when_a_text_has_more_states_than_it_may_keep() -> None:
    words = re.findall(r"[a-z]+", " ".join(PHRASES))
    text = " ".join(word[: at % 7 + 1] + words[at * 31 % len(words)] for at, word in enumerate(words * 12))
    octets = text.encode("ascii")
    patterns, _ = sieve._sieve()
    assert len(octets) > LONG
    assert matching(octets) == {pattern for pattern in patterns if pattern.search(octets)}


SHAPED = st.sampled_from(sorted(candidates.CODES)).flatmap(
    lambda name: st.from_regex(re.compile(candidates.CODES[name].replace(r"\b", ""), re.ASCII), fullmatch=True)
)


@given(SHAPED)
def test_codes_that_look_alike_have_the_shapes_that_each_has_by_itself(raw: str) -> None:
    shapes = tuple(name for name, pattern in candidates._GROUPED.items() if pattern.match(raw))
    assert candidates._code(raw, 0).shapes == shapes


@given(st.lists(st.one_of(WORDS, SIGNS), max_size=8).map(" ".join))
def test_labels_are_the_longest_phrases_that_begin_at_each_word(text: str) -> None:
    told, starts, ends = lexicon._words(text, 0, len(text))
    every = [entry for following in LEXICON._begun.values() for entries in following.values() for entry in entries]
    for label in LEXICON.labels(text, 0, len(text)):
        at = starts.index(label.start)
        begun = [entry for entry in every if entry.words == tuple(told[at : at + len(entry.words)])]
        standing = [
            entry for entry in begun if lexicon._stands(text, entry, starts[at], ends[at + len(entry.words) - 1])
        ]
        longest = max(len(entry.words) for entry in standing)
        assert label.end == ends[at + longest - 1]
        assert label.name in {entry.name for entry in standing if len(entry.words) == longest}


def test_patterns_of_the_sieve_have_no_case_of_their_own_that_it_forgets() -> None:
    patterns, _ = sieve._sieve()
    assert {type(pattern) for pattern in patterns} == {re2._Regexp}
    assert facts.TITLES in matching(b"FORM 1042-S")
