"""Names of the code that pages mention exist, and flow.md keeps its promise of short ways."""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.sources import ROOT, literal_arguments, pages, prose, spans

DOTTED = re.compile(r"(?:gateway\.)?([a-z_]+(?:\.[A-Za-z_]+)+)(?:\(\))?\Z")
FLOW = ROOT / "docs" / "flow.md"
MOST_FUNCTIONS, MOST_MODULES = 6, 4


def test_every_name_of_the_code_on_a_page_exists() -> None:
    failpoints = literal_arguments("failpoint")
    missing = [f"{path.name}: {name}" for path in pages() for name in code_names(path) if not exists(name, failpoints)]
    assert not missing, "\n".join(missing)


def test_flow_names_functions_of_every_program() -> None:
    packages = {name.partition(".")[0] for name in code_names(FLOW)}
    assert packages >= {"inbound", "outbound", "portal", "keyholder", "authenticator", "casework", "store", "mime"}


def test_from_the_wire_to_durable_is_a_short_way() -> None:
    ways = [steps(text) for text in prose(FLOW).split("<!-- wire to durable -->")[1:]]
    assert len(ways) == 2
    for way in ways:
        assert 2 <= len(way) <= MOST_FUNCTIONS
        assert len({module_of(name) for name in way}) <= MOST_MODULES


@pytest.mark.parametrize("name", ["store.blobs.BlobWriter.vanish", "casework.correspondence.posted", "mime.nothing"])
def test_a_name_that_does_not_exist_is_noticed(name: str) -> None:
    assert not exists(name)


def code_names(path: Path) -> list[str]:
    """Dotted names in backticks whose first word is a folder or module of gateway/."""
    found = (DOTTED.match(span) for span in spans(path))
    return [match[1] for match in found if match and is_ours(match[1].partition(".")[0]) and not is_file(match[1])]


def is_ours(package: str) -> bool:
    return (ROOT / "gateway" / package).is_dir() or (ROOT / "gateway" / f"{package}.py").is_file()


def is_file(name: str) -> bool:
    return name.rpartition(".")[2] in {"py", "md", "txt", "toml", "key", "pub", "db", "sock", "html"}


def exists(name: str, others: Collection[str] = ()) -> bool:
    """Whether this is an attribute of a module of ours, or one of `others`."""
    if name in others:
        return True
    parts = name.split(".")
    for split in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(["gateway", *parts[:split]]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[split:]:
            if not hasattr(found, attribute):
                return attribute in getattr(found, "__annotations__", {})
            found = getattr(found, attribute)
        return True
    return False


def module_of(name: str) -> str:
    parts = name.split(".")
    return ".".join(part for part in parts[:-1] if part.islower())


def steps(text: str) -> list[str]:
    """The first name of each item of the numbered list that a text begins with."""
    text = text.strip().partition("\n\n")[0]
    starts = [match.start() for match in re.finditer(r"^\d\. ", text, re.MULTILINE)]
    found = [re.search(r"`([a-z_]+(?:\.[A-Za-z_]+)+)`", text[begin:end]) for begin, end in pairwise([*starts, None])]
    return [match[1] for match in found if match]
