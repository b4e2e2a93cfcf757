from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.partmap import Part, PartMap


def part_map(*described: tuple[str, str], **more: dict[str, str]) -> PartMap:
    return PartMap(
        tuple(Part(path, media_type, **more.get("p" + path.replace(".", "_"), {})) for path, media_type in described)
    )


RICH = part_map(
    ("TEXT", "multipart/mixed"),
    ("1", "multipart/related"),
    ("1.1", "multipart/alternative"),
    ("1.1.1", "text/plain"),
    ("1.1.2", "text/html"),
    ("1.2", "image/png"),
    ("2", "message/rfc822"),
    ("2.TEXT", "multipart/mixed"),
    ("2.1", "text/plain"),
    ("2.2", "application/pdf"),
    ("3", "application/pdf"),
)


def paths(parts: tuple[Part, ...]) -> list[str]:
    return [part.path for part in parts]


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=4),
    st.one_of(st.none(), TEXTS),
    st.one_of(st.none(), TEXTS),
    TEXTS,
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.sampled_from(["", "inline", "attachment"]),
    st.lists(TEXTS, max_size=3),
)
def test_a_part_map_comes_back_from_json_as_it_was(
    parameters: list[tuple[str, str]],
    filename: str | None,
    content_id: str | None,
    language: str,
    offset: int,
    length: int,
    disposition: str,
    notes: list[str],
) -> None:
    part = Part(
        "1",
        "a/b",
        tuple(parameters),
        disposition,
        filename,
        "base64",
        content_id,
        0,
        offset,
        length,
        language,
        "signed",
    )
    written = PartMap((part,), tuple(notes))
    assert PartMap.from_json(written.to_json()) == written


def test_a_rich_part_map_comes_back_and_is_compact() -> None:
    assert PartMap.from_json(RICH.to_json()) == RICH
    assert len(RICH.to_json()) < 80 * len(RICH.parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[1,[],[]]",
        "[2,[],[]]",
        "null",
        "[1,[[]],[]]",
        '[1,[["1"]],[]]',
        '[1,[["1","a/b",3]],[]]',
        '[1,[["1","a/b",[["x"]]]],[]]',
        "[1,5,[]]",
    ],
)
def test_what_is_no_part_map_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        PartMap.from_json(text)


def test_parts_are_found_by_path() -> None:
    assert RICH.part("1.1.2").media_type == "text/html"
    assert RICH.root.path == "TEXT"
    with pytest.raises(KeyError):
        RICH.part("9")


def test_leaves_are_all_parts_but_multiparts() -> None:
    assert paths(RICH.leaves) == ["1.1.1", "1.1.2", "1.2", "2", "2.1", "2.2", "3"]
    assert paths(RICH.own_leaves) == ["1.1.1", "1.1.2", "1.2", "2", "3"]


def test_ancestors_are_told_from_the_outermost() -> None:
    assert paths(RICH.ancestors(RICH.part("1.1.2"))) == ["TEXT", "1", "1.1"]
    assert paths(RICH.ancestors(RICH.part("2.2"))) == ["TEXT", "2", "2.TEXT"]
    assert paths(RICH.ancestors(RICH.part("2.TEXT"))) == ["TEXT", "2"]
    assert RICH.ancestors(RICH.root) == ()


def test_the_best_text_is_both_forms_of_the_first_one() -> None:
    assert paths(RICH.best_text().parts) == ["1.1.1", "1.1.2"]
    assert paths(RICH.attachments()) == ["1.2", "2", "3"]


@pytest.mark.parametrize(
    ("described", "best", "attachments"),
    [
        ([("1", "text/html")], ["1"], []),
        ([("1", "application/pdf")], [], ["1"]),
        ([("TEXT", "multipart/mixed"), ("1", "text/plain"), ("2", "text/html")], ["1"], ["2"]),
        ([("TEXT", "multipart/mixed"), ("1", "application/pdf"), ("2", "text/plain")], ["2"], ["1"]),
        ([("TEXT", "multipart/alternative"), ("1", "text/plain"), ("2", "text/calendar")], ["1"], ["2"]),
        ([("1", "message/rfc822"), ("1.1", "text/plain")], [], ["1"]),
        (
            [
                ("TEXT", "multipart/alternative"),
                ("1", "text/plain"),
                ("2", "multipart/related"),
                ("2.1", "text/html"),
                ("2.2", "image/png"),
            ],
            ["1", "2.1"],
            ["2.2"],
        ),
    ],
)
def test_text_and_attachments_are_the_whole_message(
    described: list[tuple[str, str]], best: list[str], attachments: list[str]
) -> None:
    found = part_map(*described)
    assert paths(found.best_text().parts) == best
    assert paths(found.attachments()) == attachments


def test_a_text_file_that_is_attached_is_not_the_text() -> None:
    found = part_map(
        ("TEXT", "multipart/mixed"), ("1", "text/plain"), ("2", "text/plain"), p1={"disposition": "attachment"}
    )
    assert paths(found.best_text().parts) == ["2"]


@pytest.mark.parametrize(
    "fields",
    [
        {"path": ""},
        {"path": "0"},
        {"path": "1..2"},
        {"path": "TEXT.1"},
        {"path": "1\n"},
        {"media_type": "Text/plain"},
        {"media_type": "text"},
        {"media_type": "a/b;c"},
        {"disposition": "odd"},
        {"protection": "odd"},
        {"length": -1},
        {"header_offset": 5},
        {"header_offset": -1},
    ],
)
def test_an_impossible_part_cannot_be_made(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Part(**{"path": "1", "media_type": "a/b", **fields})  # type: ignore[arg-type]


def test_a_part_map_needs_parts_with_paths_of_their_own() -> None:
    with pytest.raises(ValueError):
        PartMap(())
    with pytest.raises(ValueError):
        part_map(("1", "a/b"), ("1", "a/b"))


def test_parameters_are_looked_up_by_name() -> None:
    part = Part("1", "text/plain", (("charset", "utf-8"),))
    assert (part.parameter("charset"), part.parameter("name"), part.parameter("name", "x")) == ("utf-8", "", "x")


def test_json_is_what_it_says() -> None:
    assert json.loads(RICH.to_json())[0] == 1
    assert PartMap((Part("1", "a/b"),)).part("1").end == 0
