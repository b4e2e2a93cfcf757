"""One labelled mail, and what its label says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TIERS = ("ordinary", "contained", "hidden")


@dataclass(frozen=True, slots=True)
class Label:
    """What a screener must say of a mail, and the parameters that it was made with. Never content.

    `wanted` is tainted, clean or unscreenable. `kinds` holds the kind planted and then those that may be said in its
    stead. `tier` tells under which goal a planted mail falls, `group` what sort of mail a clean or unscreenable one is.
    """

    ident: str
    wanted: str
    tier: str = ""
    group: str = ""
    kinds: tuple[str, ...] = ()
    variant: str = ""
    place: str = ""
    disguise: str = ""
    style: str = ""
    language: str = "en"

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sample:
    label: Label
    octets: bytes


def worst(*tiers: str) -> str:
    return max(tiers, key=TIERS.index)
