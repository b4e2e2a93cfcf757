"""Tags are found by patterns that are written for speed; here they are compared with the same written plainly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.screening import markup

CELL = re.compile(
    r"(?:</(?:p|div|span|b|strong|font)>[ ]{0,20}){0,3}</t[dh]\s{0,20}>\s*|"
    r"<t[dh]\b[^<>]*>(?:\s{0,40}<(?:p|div)\b[^<>]*>){1,2}",
    re.IGNORECASE,
)
BLOCK = re.compile(
    r"<(?:tr|/?(?:p|div|table|tbody|thead|li|ul|ol|h[1-6]|hr|dd|dt|dl|pre|blockquote|section|article|header|footer|form|"
    r"fieldset|option|select|title|center|address|label|legend|caption|body|html)|br)(?![a-z0-9])[^<>]*>\s*",
    re.IGNORECASE,
)
ATTRIBUTES = re.compile(r"<[a-zA-Z][^<>\s]*((?:\s[^<>]*)?=[^<>]*)>")
NAMES = (
    "tr td th p div span b strong font table tbody thead li ul ol h1 h6 h7 hr dd dt dl pre blockquote section article "
    "header footer form fieldset option select title center address label legend caption body html br brr a img input"
).split()
TAGS = st.builds(
    lambda opening, name, rest: f"<{opening}{name}{rest}",
    st.sampled_from(("", "/", " ", "!")),
    st.sampled_from([*NAMES, "TD", "Div", "bR"]),
    st.sampled_from((">", " >", " class='a'>", "/>", "  \n>", " x=1", "<", "1>", "-x>")),
)
SOURCES = st.lists(st.one_of(TAGS, st.sampled_from((" ", "\n", "  ", "12", "a", "\t", "<", ">", "&nbsp;")))).map(
    "".join
)


@given(SOURCES)
def test_cells_and_blocks_are_those_of_the_plain_patterns(source: str) -> None:
    for quick, plain in ((markup._CELL, CELL), (markup._BLOCK, BLOCK)):
        assert [match.span() for match in quick.finditer(source)] == [match.span() for match in plain.finditer(source)]


WRITTEN = st.lists(
    st.sampled_from(["<", ">", "a", "td", "=", "='1'", " ", "\n", "/", "x=", "display : None", "dir=rtl"])
)


@given(WRITTEN.map("".join))
def test_attributes_are_those_of_the_plain_pattern(source: str) -> None:
    assert markup._ATTRIBUTES.findall(source) == ATTRIBUTES.findall(source)


@given(
    st.lists(
        st.one_of(TAGS, WRITTEN.map("".join), st.sampled_from(("<b hidden>", "direction:rtl", "opacity:0.0")))
    ).map("".join)
)
def test_markup_that_may_be_nothing_otherwise_is_neither_hidden_nor_turned(source: str) -> None:
    octets = source.encode("ascii")
    if not markup.may_be_otherwise(octets):
        assert markup.unhidden(source, octets) is None
        assert markup.turned(source, octets) is None


@pytest.mark.parametrize("said", ["<b style='font-size:0'>1</b>", "<p hidden>1</p>", "<b dir=rtl>1</b>", "<bdo>1"])
def test_markup_that_may_be_otherwise_is_known(said: str) -> None:
    assert markup.may_be_otherwise(f"<html>{said}</html>".encode())


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("1<b>2</b>3", "123"),
        ("a<p>b</p>c<br>d", "a\nb\nc\nd"),
        ("<tr><td>SSN</td> <td>536</td></tr>", "\nSSN\t536\t"),
        ("<tr><td>SSN</td> <td><p>536</p></td></tr>", "\nSSN\t536\t"),
        ("<TABLE><TH>a</TH></TABLE>", "\na\t\n"),
        ("5&#51;6&nbsp;41<!-- no -->2<style>p{}</style>", "536 412 "),
        ("a < b > c", "a < b > c"),
    ],
)
def test_the_shown_text_is_what_a_reader_sees(source: str, shown: str) -> None:
    assert markup.shown(source) == shown


def test_what_stands_aside_is_told_once_a_tag() -> None:
    source = "<a href='x?id=1' style='color:red'>b</a>" * 3 + "<input name='ssn' value='536412879'><!-- 899 -->"
    assert markup.aside(source).split("\n") == [" 899 ", *["href\tx?id=1"] * 3, "ssn\t536412879"]
