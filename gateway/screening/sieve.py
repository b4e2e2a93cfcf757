"""Which of many patterns match somewhere in a long text, in one pass over it: most match nowhere, and need no pass.

Patterns are handed in where they are made. RE2 looks for all of a set at once as quickly as for one of them, but builds
states for it, which pays in long texts only, and for patterns of words: those of many counted signs multiply states.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import re2

LONG: Final = 65_536  # octets of a text from which on one pass that builds states costs less than several without

_sifted: Final[list[re2._Regexp]] = []


def sifted(pattern: re2._Regexp) -> re2._Regexp:
    """The same pattern, which the sieve looks for from now on. Only while modules are imported."""
    _sifted.append(pattern)
    return pattern


def matching(octets: bytes) -> frozenset[re2._Regexp]:
    """Those of the patterns that match somewhere; none of the others does."""
    patterns, sieve = _sieve()
    return frozenset(patterns[at] for at in sieve.Match(octets) or ())


@cache
def _sieve() -> tuple[tuple[re2._Regexp, ...], re2.Set]:
    options = re2.Options()
    options.never_capture = True
    options.max_mem = 64 << 20  # when it is used up, states are built anew
    patterns = tuple(_sifted)
    sieve = re2.Set.SearchSet(options)
    for pattern in patterns:
        written = pattern.pattern if isinstance(pattern.pattern, bytes) else pattern.pattern.encode("ascii")
        sieve.Add(written if pattern.options.case_sensitive else b"(?i:%b)" % written)
    sieve.Compile()
    return patterns, sieve
