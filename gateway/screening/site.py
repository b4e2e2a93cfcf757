"""What a site screens for: its settings, and where they leave it open, what its programmes name."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.config import ScreeningSettings
from gateway.domain.errors import ConfigError
from gateway.domain.programme import Programme
from gateway.domain.verdict import Kind
from gateway.screening.chunk import Limits
from gateway.screening.policy import Policy
from gateway.screening.protocol import Orders


def orders_of(settings: ScreeningSettings, programmes: Iterable[Programme]) -> Orders:
    """Return what children are to look for and keep to. Raises ConfigError when a programme names an unknown kind."""
    named = _named(programmes)
    kinds = named if settings.kinds is None else settings.kinds
    policy = Policy(kinds - settings.never, settings.threshold, frozenset(settings.public_numbers))
    limits = Limits(**{name: getattr(settings.limits, name) for name in settings.limits.__dataclass_fields__})
    return Orders(policy, limits)


def _named(programmes: Iterable[Programme]) -> frozenset[Kind]:
    found: set[Kind] = set()
    problems: list[str] = []
    for programme in programmes:
        for word in programme.screening:
            try:
                found.add(Kind(word))
            except ValueError:
                known = ", ".join(Kind)
                problems.append(f'programme {programme.key}: screening: "{word}" is no kind. Known: {known}.')
    if problems:
        raise ConfigError("\n".join(problems))
    return frozenset(found)
