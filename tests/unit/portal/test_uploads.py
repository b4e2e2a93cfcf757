from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Malformed, TooLarge
from gateway.portal.uploads import (
    MAX_PARTS,
    Event,
    Field,
    FileBegins,
    FileEnds,
    FileOctets,
    FormReader,
    UploadLimits,
    boundary_of,
)

BOUNDARY = b"----WebKitFormBoundaryq7x"


def part(name: str, content: bytes, filename: str | None = None, media_type: str = "") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    head = disposition + (f"\r\nContent-Type: {media_type}" if media_type else "")
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def read(octets: bytes, cuts: list[int], room: int = 10_000) -> list[Event]:
    reader = FormReader(BOUNDARY, max_field_octets=room)
    events: list[Event] = []
    edges = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    for start, stop in itertools.pairwise(edges):
        events += reader.feed(octets[start:stop])
    reader.finish()
    return joined(events)


def joined(events: list[Event]) -> list[Event]:
    """Neighbouring octets as one event: how they were cut is nobody's business."""
    told: list[Event] = []
    for event in events:
        if isinstance(event, FileOctets) and told and isinstance(told[-1], FileOctets):
            told[-1] = FileOctets(told[-1].octets + event.octets)
        else:
            told.append(event)
    return told


@given(
    contents=st.lists(st.binary(max_size=300) | st.just(b"\r\n--" + BOUNDARY[:-1]) | st.just(b"\r\n" * 9), max_size=5),
    cuts=st.lists(st.integers(min_value=0, max_value=4_000), max_size=40),
)
def test_a_form_means_the_same_however_it_is_cut(contents: list[bytes], cuts: list[int]) -> None:
    octets = body(
        part("subject", "Zürich".encode()),
        *(part("files", content, f"{number}.bin", "image/png") for number, content in enumerate(contents)),
    )
    expected: list[Event] = [Field("subject", "Zürich")]
    for number, content in enumerate(contents):
        expected.append(FileBegins(f"{number}.bin", "image/png"))
        if content:
            expected.append(FileOctets(content))
        expected.append(FileEnds())
    assert read(octets, cuts) == expected


def test_a_form_cut_at_every_octet_means_the_same() -> None:
    octets = body(part("text", b"line\r\n--line"), part("files", random.Random(7).randbytes(200), "a.bin", "a/b"))
    assert all(read(octets, [cut]) == read(octets, []) for cut in range(len(octets)))
    assert read(octets, list(range(len(octets)))) == read(octets, [])


def test_a_form_that_ends_too_early_is_refused() -> None:
    octets = body(part("text", b"x"), part("files", b"y" * 100, "a.bin"))
    for stop in range(len(octets) - len(BOUNDARY) - 6):
        reader = FormReader(BOUNDARY, max_field_octets=100)
        reader.feed(octets[:stop])
        with pytest.raises(Malformed):
            reader.finish()


def test_fields_have_a_limit_and_files_do_not_count_towards_it() -> None:
    octets = body(part("text", b"x" * 60), part("more", b"x" * 40), part("files", b"y" * 5_000, "a.bin"))
    assert len(read(octets, [], room=100)) == 5
    with pytest.raises(TooLarge):
        read(octets, [], room=99)


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(TooLarge):
        read(body(*[part("a", b"")] * (MAX_PARTS + 1)), [])


@pytest.mark.parametrize(
    "octets",
    [
        b"--" + BOUNDARY + b"\r\nContent-Type: text/plain\r\n\r\nno disposition\r\n--" + BOUNDARY + b"--\r\n",
        b"--" + BOUNDARY + b"\r\nContent-Disposition: attachment; name=x\r\n\r\nx\r\n--" + BOUNDARY + b"--\r\n",
        b"something else entirely",
        b"--" + BOUNDARY + b"\r\nContent-Disposition: " + b"x" * 9_000,
    ],
)
def test_what_is_no_form_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets, [])


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("image/png", "image/png"),
        ("Image/PNG; x=y", "image/png"),
        ("", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("a/" + "b" * 200, "application/octet-stream"),
        ("text/html<script>", "application/octet-stream"),
    ],
)
def test_the_type_of_a_file_is_well_formed_whatever_the_browser_says(told: str, kept: str) -> None:
    assert FileBegins("f", kept) in read(body(part("files", b"", "f", told)), [])


def test_a_field_without_a_file_chosen_begins_a_file_without_a_name() -> None:
    assert read(body(part("files", b"", "", "application/octet-stream")), [])[0] == FileBegins(
        "", "application/octet-stream"
    )


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""])
def test_only_a_form_with_a_boundary_is_read(kind: str) -> None:
    with pytest.raises(Malformed):
        boundary_of(kind)
    assert boundary_of('multipart/form-data; boundary="abc"') == b"abc"


def test_the_largest_form_has_room_for_its_files_and_fields() -> None:
    limits = UploadLimits(octets=1_000, field_octets=100)
    assert limits.form_octets > limits.octets + limits.field_octets
