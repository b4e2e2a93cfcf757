"""What stands in the fields of a form's page."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from gateway.domain.recognition import SignatureField, Suggestion
from gateway.screening.recognition.kinds import Kind
from gateway.screening.recognition.words import Line


def read_fields(
    image: Image.Image, lines: Sequence[Line], kind: Kind, page: int
) -> tuple[tuple[Suggestion, ...], tuple[SignatureField, ...]]:
    """Return what may stand in the fields of a page, and where it is signed."""
    return (), ()
