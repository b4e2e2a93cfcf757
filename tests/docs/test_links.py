"""Links between pages lead somewhere, and every page can be reached from the README."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.sources import ROOT, fenced_lines, pages, prose, spans

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"(?:gateway|docs|tests|deploy|templates|programmes|scripts|benchmarks)/[\w./-]*\Z")


def test_every_link_leads_somewhere() -> None:
    broken = [f"{path.name}: {target}" for path in pages() for target in links(path) if not leads(path, target)]
    assert not broken, "\n".join(broken)


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            followed = ((page.parent / target.partition("#")[0]).resolve() for target in links(page) if is_page(target))
            waiting += [path for path in followed if path.suffix == ".md"]
    assert not [str(path.relative_to(ROOT)) for path in pages() if path not in reached]


def test_every_path_in_backticks_exists() -> None:
    missing = [
        f"{path.name}: {span}"
        for path in pages()
        for span in spans(path)
        if PATH.match(span) and not (ROOT / span).exists()
    ]
    assert not missing, "\n".join(missing)


def test_make_targets_on_pages_exist() -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        match[1]
        for path in pages()
        for text in (*spans(path), *fenced_lines(path))
        for match in re.finditer(r"(?:^|&& |[A-Z]+=\S+ )make ([a-z]+)\b", text.strip())
    }
    assert {"run", "test", "check", "clean"} <= named
    assert not named - known


def links(path: Path) -> list[str]:
    return [target for target in LINK.findall(prose(path)) if not target.startswith(("https://", "http://"))]


def is_page(target: str) -> bool:
    return target.partition("#")[0].endswith(".md")


def leads(page: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    place = page.parent / file if file else page
    return place.exists() and (not anchor or anchor in {anchored(heading) for heading in headings(place)})


def headings(page: Path) -> list[str]:
    return HEADING.findall(prose(page))


def anchored(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
