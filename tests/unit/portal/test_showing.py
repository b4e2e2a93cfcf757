from __future__ import annotations

import html.parser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.portal.showing import Passage, frame_document, passages

STYLE = "/static/frame.css?1"
LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "style", "xlink:href"}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=http://t.example/x.gif>",
    '<img src="cid:1" onerror=alert(1)>',
    "<p onclick=alert(1) style='background:url(http://t.example)'>x</p>",
    "<style>@import url(http://t.example/a.css)</style>",
    "<link rel=stylesheet href=http://t.example/a.css>",
    "<base href=//t.example/>",
    "<meta http-equiv=refresh content='0;url=http://t.example'>",
    "<form action=http://t.example><input name=q><button>go</button></form>",
    "<iframe src=http://t.example></iframe>",
    "<object data=http://t.example></object><embed src=http://t.example>",
    "<video poster=http://t.example/p.png><source src=http://t.example></video>",
    "<svg><image href=http://t.example/i.svg /><use href=http://t.example/#a /></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=data:text/html,x>x</a>",
    "<a href=//t.example/x>x</a>",
    "<table background=http://t.example><tr><td background=http://t.example>x</table>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "</body></html><script>alert(1)</script>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<q cite=http://t.example>x</q><blockquote cite=http://t.example>x</blockquote>",
    "<body background=http://t.example><title></title><script>alert(1)</script>",
]


class Tags(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def require_harmless(document: str) -> None:
    """Our own head, then nothing that runs and nothing that a browser fetches by itself."""
    tags = Tags(document).found
    assert [tag for tag, _ in tags[:6]] == ["html", "head", "meta", "title", "link", "body"]
    for tag, attributes in tags[6:]:
        assert tag not in {"script", "img", "style", "link", "base", "meta", "form", "iframe", "object", "svg", "image"}
        assert not LOADING & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        if "href" in attributes:
            assert tag == "a"
            assert re.match(r"https?://", attributes["href"] or "")
            assert attributes["target"] == "_blank"
            assert "noopener" in (attributes["rel"] or "")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_html_runs_or_is_fetched(hostile: str) -> None:
    require_harmless(frame_document(f"<p>before</p>{hostile}<p>after", STYLE, "en"))


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20) | st.sampled_from("<>\"'&/= "), max_size=12))
def test_no_mixture_of_hostile_pieces_runs_or_is_fetched(pieces: list[str]) -> None:
    require_harmless(frame_document("".join(pieces), STYLE, "en"))


def test_what_people_write_stays() -> None:
    shown = frame_document(
        "<p>Dear <b>Mr</b> <a href='https://a.example/x?y=1&amp;z'>B</a></p><ul><li>1</ul>", STYLE, "es"
    )
    assert '<html lang="es">' in shown
    assert "<p>Dear <b>Mr</b> " in shown
    assert 'href="https://a.example/x?y=1&amp;z"' in shown
    assert "<ul><li>1</li></ul>" in shown


def test_quoted_lines_are_told_apart_by_depth() -> None:
    assert passages("Own\n\n> one\n> two\n>> deep\n> > deep too\nOwn again\n") == [
        Passage(0, "Own"),
        Passage(1, "one\ntwo"),
        Passage(2, "deep\ndeep too"),
        Passage(0, "Own again"),
    ]


def test_a_text_of_nothing_has_no_passage() -> None:
    assert passages("") == []
    assert passages("\n\n") == []


@given(st.text(alphabet="ab> \n", max_size=80))
def test_no_word_of_a_text_is_lost(text: str) -> None:
    shown = "".join(passage.text for passage in passages(text))
    assert re.sub(r"[\s>]", "", shown) == re.sub(r"[\s>]", "", text)
