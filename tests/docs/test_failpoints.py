"""Every failpoint of the code stands in docs/hacking.md, and nothing else does."""

from __future__ import annotations

import re

from tests.docs.sources import ROOT, literal_arguments, section

ROW = re.compile(r"^\| `([a-z_.]+)` \|", re.MULTILINE)


def test_the_table_of_failpoints_is_the_codes() -> None:
    listed = ROW.findall(section(ROOT / "docs" / "hacking.md", "Failpoints"))
    in_code = literal_arguments("failpoint")
    assert len(listed) == len(set(listed))
    assert sorted(set(listed) - in_code) == [], "listed, and not in the code"
    assert sorted(in_code - set(listed)) == [], "in the code, and not listed"
