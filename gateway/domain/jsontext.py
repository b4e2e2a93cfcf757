"""JSON texts by an encoder that is made once: `json.JSONEncoder.encode` makes one anew for each text."""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as _encoder
from typing import Any

# The standard library's encoder in C, where it has one.
_make: Any = getattr(_encoder, "c_make_encoder", None)


def json_writer(
    *, ensure_ascii: bool = True, separators: tuple[str, str] = (", ", ": "), sort_keys: bool = False
) -> Callable[[object], str]:
    """Return what does as `json.JSONEncoder(…).encode`. Raises TypeError for what has no JSON, as that does."""
    plain = json.JSONEncoder(ensure_ascii=ensure_ascii, separators=separators, sort_keys=sort_keys)
    if _make is None:
        return plain.encode
    quote = _encoder.encode_basestring_ascii if ensure_ascii else _encoder.encode_basestring
    item, key = separators
    pieces = _make(None, plain.default, quote, None, key, item, sort_keys, False, True)
    return lambda value: "".join(pieces(value, 0))
