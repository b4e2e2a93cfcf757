from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.jsontext import json_writer

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(_VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_it_writes_what_the_standard_library_writes(
    value: object, ensure_ascii: bool, separators: tuple[str, str], sort_keys: bool
) -> None:
    write = json_writer(ensure_ascii=ensure_ascii, separators=separators, sort_keys=sort_keys)
    plain = json.JSONEncoder(ensure_ascii=ensure_ascii, separators=separators, sort_keys=sort_keys)
    assert write(value) == plain.encode(value)


def test_what_has_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        json_writer()({"octets": b""})
