from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.portal.pages import octets_in_words
from gateway.portal.site import PortalSite
from gateway.resources import templates_folder

TEMPLATES = sorted((templates_folder() / "portal").glob("*.html"))

ONE_SCRIPT = """<script src="/static/passkey.js?{{ statics['passkey.js'] }}" nonce="{{ nonce }}" defer></script>"""


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 KB"),
        (14_400, "14 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (2_540_000, "2.5 MB"),
        (25_000_000, "25 MB"),
        (999_500_000, "1.0 GB"),
        (12_000_000_000, "12 GB"),
    ],
)
def test_sizes_are_told_as_people_read_them(count: int, words: str) -> None:
    assert octets_in_words(count) == words


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_runs_a_script_but_the_one_for_passkeys_or_switches_escaping_off(template: Path) -> None:
    text = template.read_text("utf-8")
    if template.name == "parts.html":
        assert text.count(ONE_SCRIPT) == 1
        text = text.replace(ONE_SCRIPT, "")
    for word in ("<script", "javascript:", "|safe", "autoescape", " style=", "http://", "https://"):
        assert word not in text
    assert not re.search(r"\son[a-z]+=", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_knows_a_programme(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"\b(IRS|CWA|Internal Revenue|tax)\b|\bForm \d", text, re.IGNORECASE)


@pytest.mark.parametrize("address", ["http://a.example/", "https://a.example", "https:///", "https://a.example/x", "a"])
def test_a_portal_has_one_plain_address(address: str) -> None:
    with pytest.raises(ValueError):
        PortalSite("n", "production", address, "g.example")


def test_a_site_knows_its_host_and_whether_it_is_real() -> None:
    site = PortalSite("n", "production", "https://Portal.Example:8443/", "g.example")
    assert site.host == "portal.example"
    assert not site.is_trial
    assert PortalSite("n", "demo", "https://a.example/", "g.example").is_trial
