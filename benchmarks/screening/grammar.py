"""A grammar in one line: `[a|b|]` is a choice, `{slot}` a word of that slot; both nest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


def expand(rng: Random, template: str, slots: Mapping[str, Sequence[str] | str]) -> str:
    """`template` with every choice drawn, innermost first, then every slot filled (a text stands for itself)."""
    while "[" in template:
        chosen = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
        if chosen == template:
            break
        template = chosen

    def fill(match: re.Match[str]) -> str:
        words = slots[match[1]]
        return words if isinstance(words, str) else rng.choice(words)

    return _SLOT.sub(fill, template)
