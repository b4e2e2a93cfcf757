"""Features that several families share: what stands around a span, in the words of `weights.toml`."""

from __future__ import annotations

from gateway.screening.chunk import Form
from gateway.screening.context import Around, Scan
from gateway.screening.view import Reading

_READINGS = {
    Reading.DECODED: "hidden",
    Reading.SQUEEZED: "hidden",
    Reading.REVERSED: "hidden",
    Reading.WORDS: "spelled",
    Reading.JOINED: "joined",
}


def surroundings(scan: Scan, around: Around) -> dict[str, float]:
    """Features of the reading, the form of the chunk, the words and the signs around a span."""
    features: dict[str, float] = {"other": around.other, "telephone": around.telephone, **around.raising}
    features |= dict.fromkeys(around.flags, 1.0)
    if scan.view.reading in _READINGS:
        features[_READINGS[scan.view.reading]] = 1.0
    if scan.view.form is Form.FIELDS:
        features["fields"] = 1.0
    if scan.view.form is Form.FILE_NAME:
        features["file_name"] = 1.0
    return {name: value for name, value in features.items() if value}
