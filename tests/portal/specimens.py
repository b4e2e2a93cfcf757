"""The shipped wording, as a house shows it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.domain.clock import Clock
from gateway.domain.programme import Programme
from gateway.domain.specimen import Specimens
from gateway.outbound.samples import Samples
from gateway.outbound.templates import Templates
from gateway.resources import templates_folder

TEMPLATES = Templates(templates_folder() / "notifications", frozenset({"en", "es"}))


def shipped(programmes: Mapping[str, Programme], environment: str, clock: Clock) -> Specimens:
    samples = Samples(TEMPLATES, programmes, "https://localhost/", environment, clock)
    return Specimens(samples.show, samples.subject)
