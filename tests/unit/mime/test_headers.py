from __future__ import annotations

import datetime as dt
from email.header import Header
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mime.addresses import addresses, message_ids
from gateway.mime.charsets import codec_for, decode_octets
from gateway.mime.dates import format_date, parse_date
from gateway.mime.parameters import parse_content_type, parse_disposition, strip_comments
from gateway.mime.words import decode_words, unfold, word_oddities

# What trips parsers: the marks of every grammar here, in any order.
MARKS = st.lists(
    st.sampled_from(
        [b'"', b"(", b")", b"<", b">", b"@", b",", b";", b":", b"\\", b"=", b"?", b"=?", b"?=", b"=?utf-8?q?", b"*",
         b"*0*", b"''", b"%41", b"%", b" ", b"\r\n ", b"\t", b"\r", b"\n", b"\0", b".", b"a", b"name", b"\xc3", b"\xa9",
         b"[", b"]", b"/", b"b64==", b"=?x?b?QQ==?=", b"2026", b"Mar", b"10:15", b"+0000"]
    ),
    max_size=60,
).map(b"".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(MARKS, st.binary(max_size=80)))
def test_no_header_value_makes_a_reader_raise_or_break_a_line(value: bytes) -> None:
    parse_date(value)
    shown = [decode_words(value), *message_ids(value)]
    shown += [text for mailbox in addresses(value) for text in (mailbox.name, mailbox.address)]
    for parsed in (parse_content_type(value), parse_disposition(value)):
        shown += [text for pair in parsed.parameters for text in pair]
    list(word_oddities(value))
    for text in shown:
        assert not set(text) & set("\r\n\0")
        text.encode("utf-8")


# Every one of these takes seconds or minutes with a parser that is not linear; the time limit is the judge.
HOSTILE = [
    b"." * 100_000, b"(" * 100_000, b"()" * 50_000, b"<" * 100_000, b'"\\"' * 33_000, b'\\"' * 50_000, b"=?" * 50_000,
    b"=?a?q?" * 16_000, b"=?utf-8?q?a?= " * 10_000, b"=?utf-8?b?YQ==?=" * 10_000, b" " * 100_000, b"\r" * 100_000,
    b"\n " * 50_000, b"@,:" * 33_000, b"a@b," * 25_000, b"[" * 100_000, b";" * 100_000, b'; a="' * 20_000,
    b"; a*0*=x" * 13_000, b"a:" * 50_000, b"=" * 100_000, b"<a@b> " * 16_000, b"x " * 50_000,
]  # fmt: skip


@pytest.mark.timeout(40)
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value[:12]))
def test_hostile_values_are_read_in_linear_time(value: bytes) -> None:
    decode_words(value)
    addresses(value)
    message_ids(value)
    parse_content_type(b"text/plain;" + value)
    parse_disposition(value)
    parse_date(value)
    strip_comments(value)
    list(word_oddities(value))


# Words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" plain text ", "plain text"),
        (b"folded\r\n\tline", "folded line"),
        (b"=?ISO-8859-1?Q?a?=", "a"),
        (b"=?ISO-8859-1?Q?a?= b", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a_b?=", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        (b"a =?utf-8?b?w6TDtg==?= z", "a äö z"),
        (b"=?utf-8?b?w6Q?=", "ä"),
        (b"=?utf-8?b?ww==?= =?utf-8?b?pA==?=", "ä"),
        (b"=?utf-8*de?q?=C3=A4?=", "ä"),
        (b"=?no-such-charset?q?=C3=A4?=", "ä"),
        (b"=?utf-8?q?=FF?=", "\ufffd"),
        (b"=?utf-8?q?a=0D=0AB:c?=", "a  B:c"),
        (b"=?utf-8?x?a?=", "=?x?a?=".replace("=?x", "=?utf-8?x")),
        ("Grüße".encode(), "Grüße"),
        (b"caf\xe9", "café"),
        (b"", ""),
    ],
)
def test_unstructured_text_is_decoded(value: bytes, text: str) -> None:
    assert decode_words(value) == text


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=120),
    st.sampled_from(["utf-8", "iso-2022-jp", "koi8-r", "gb18030"]),
)
def test_what_the_library_encodes_is_decoded(text: str, charset: str) -> None:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        text, charset = "plain", "us-ascii"
    if text.encode(charset).decode(charset) != text:
        return
    encoded = Header(text, charset, maxlinelen=70).encode()
    assert decode_words(encoded.replace("\n", "\r\n").encode()) == text


def test_oddities_of_words_are_named() -> None:
    assert set(word_oddities(b"=?nope?q?a?=")) == {"charset"}
    assert set(word_oddities(b"=?utf-8?b?YQ?=")) == {"base64"}
    assert set(word_oddities(b"=?utf-8?q?=4?=")) == {"quoted-printable"}
    assert set(word_oddities(b"=?utf-8?q?a b?=")) == {"quoted-printable"}
    assert set(word_oddities(b"=?utf-8?q?what??=")) == {"unreadable"}
    assert set(word_oddities(b"=?utf-8?q?" + b"a" * 200 + b"?=")) == {"length"}
    assert set(word_oddities(b"=?utf-8?q?a?= =?utf-8?b?YQ==?= why =? not")) == set()


def test_unfolding_keeps_what_the_fold_was_made_of() -> None:
    assert unfold(b" a\r\n  b\n\tc\r\nd") == b"a  b\tc d"


# Charsets


def test_charsets_of_mail_have_a_codec_and_python_s_own_kinds_have_none() -> None:
    for name in (
        "UTF-8",
        "iso-8859-15",
        "KS_C_5601-1987",
        "gb2312",
        "x-sjis",
        "Windows-1252",
        "macintosh",
        "latin1",
        "",
    ):
        assert codec_for(name) is not None
    for name in ("utf-7", "rot13", "unicode_escape", "idna", "base64", "hex", "cp037", "undefined", "os", "x" * 5_000):
        assert codec_for(name) is None


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60), st.sampled_from(["", "us-ascii", "utf-16", "iso-2022-kr", "hz", "cp932", "utf-8", "nope"])
)
def test_octets_of_any_kind_become_text(octets: bytes, charset: str) -> None:
    decode_octets(octets, charset).encode("utf-8")


def test_text_that_claims_ascii_is_read_as_utf8_and_then_as_windows_1252() -> None:
    assert decode_octets("ä".encode(), "us-ascii") == "ä"
    assert decode_octets(b"\x93q\x94", "us-ascii") == "“q”"
    assert decode_octets("ä".encode("latin-1"), "iso-8859-1") == "ä"


# Parameters


@pytest.mark.parametrize(
    ("value", "media_type", "parameters"),
    [
        (b"text/plain", "text/plain", {}),
        (b"Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        (b'text/plain ; charset = "utf-8" ;', "text/plain", {"charset": "utf-8"}),
        (b"text / plain (comment; here); charset=a", "text/plain", {"charset": "a"}),
        (b"text/plain (comment); charset=a", "text/plain", {"charset": "a"}),
        (b'a/b; name="x;y\\"z"', "a/b", {"name": 'x;y"z'}),
        (b"a/b; name=two words.pdf", "a/b", {"name": "two words.pdf"}),
        (b"a/b; name*=utf-8''%C3%A4", "a/b", {"name": "ä"}),
        (b"a/b; name*0=a; name*1=b; name*2=c", "a/b", {"name": "abc"}),
        (b"a/b; name*1*=%C3%A4; name*0*=utf-8'de'x", "a/b", {"name": "xä"}),
        (b"a/b; name*0*=utf-8''%C3; name*1*=%A4", "a/b", {"name": "ä"}),
        (b'a/b; name="=?utf-8?q?=C3=A4?="', "a/b", {"name": "ä"}),
        (b'a/b; boundary="=?utf-8?q?a?="', "a/b", {"boundary": "=?utf-8?q?a?="}),
        (b"a/b; name=first; name=second", "a/b", {"name": "first"}),
        (b"a/b; name=plain; name*=utf-8''extended", "a/b", {"name": "extended"}),
        (b'a/b; name="not closed', "a/b", {"name": "not closed"}),
        (b"a/b; =x; ; c", "a/b", {}),
        (b"text", "", {}),
        (b"/", "", {}),
        (b"te xt/plain", "", {}),
        (b"", "", {}),
    ],
)
def test_a_content_type_is_read(value: bytes, media_type: str, parameters: dict[str, str]) -> None:
    parsed = parse_content_type(value)
    assert (parsed.token, dict(parsed.parameters)) == (media_type, parameters)


@pytest.mark.parametrize(
    ("value", "oddity"),
    [
        (b"a/b (x); c=d", "comment"),
        (b"a/b; c=d; c=e", "twice"),
        (b"a/b; c=d e", "unquoted"),
        (b'a/b; c="d', "unclosed_quote"),
        (b'a/b; c="d" e', "junk"),
        (b"a/b; c", "junk"),
        (b"a/b; name=d; name*=utf-8''e", "two_forms"),
        (b"a/b; c*1*=x", "rfc2231_sections"),
        (b"a/b; c*0=x; c*0=y", "rfc2231_sections"),
        (b"a/b; c*0=x; c*1*=y", "rfc2231_charset"),
        (b"a/b; c*=nope''x", "charset"),
        (b'a/b; name="=?utf-8?q?a?="', "encoded_word"),
        (b"a/b; c=\xff", "eight_bit"),
        (b"a/b" + b"; c=d" * 60, "too_many"),
    ],
)
def test_an_odd_parameter_is_named(value: bytes, oddity: str) -> None:
    assert oddity in parse_content_type(value).oddities


def test_ordinary_fields_have_no_oddities() -> None:
    for value in (b'multipart/mixed; boundary="----=_Part_1"', b"text/plain; charset=utf-8; format=flowed",
                  b"attachment; filename*0*=utf-8''a%20; filename*1=b"):  # fmt: skip
        assert parse_content_type(value).oddities == ()


def test_a_disposition_is_read() -> None:
    parsed = parse_disposition(b'ATTACHMENT; filename="a.pdf"; size=12')
    assert (parsed.token, parsed.parameter("filename"), parsed.parameter("none")) == ("attachment", "a.pdf", None)


def test_comments_nest_and_stay_out_of_quoted_strings() -> None:
    assert strip_comments(b'a (b (c) \\) d) "(e)" f') == (b'a  "(e)" f', True)
    assert strip_comments(b"a (never closed") == (b"a ", True)
    assert strip_comments(b"a ) b") == (b"a ) b", False)


# Addresses


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a@b.example", [("", "a@b.example")]),
        (b"<a@b.example>", [("", "a@b.example")]),
        (b"Ann Example <a@b.example>", [("Ann Example", "a@b.example")]),
        (b'"Example, Ann" <a@b.example>, c@d.example', [("Example, Ann", "a@b.example"), ("", "c@d.example")]),
        (b'"a \\"b\\"" <a@b.example>', [('a "b"', "a@b.example")]),
        (b"a@b.example (Ann (nested) Example)", [("Ann (nested) Example", "a@b.example")]),
        (b"=?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_X?= <a@b.example>", [("Jürgen X", "a@b.example")]),
        (b"=?utf-8?q?Example,_Ann?= <a@b.example>", [("Example, Ann", "a@b.example")]),
        (
            b"Team: a@b.example, c@d.example;, e@f.example",
            [("", "a@b.example"), ("", "c@d.example"), ("", "e@f.example")],
        ),
        (b"undisclosed-recipients:;", []),
        (b"<@relay.example,@other.example:a@b.example>", [("", "a@b.example")]),
        (b"a . b @ c . example", [("", "a.b@c.example")]),
        (b'"quoted local"@b.example', [("", '"quoted local"@b.example')]),
        (b"a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        (b"a@b.example,, c@d.example,", [("", "a@b.example"), ("", "c@d.example")]),
        (b"<>", [("", "")]),
        (b"", []),
        ("Jürgen <j@b.example>".encode(), [("Jürgen", "j@b.example")]),
        (b"A\r\n\tB\r\n <a@b.example>", [("A B", "a@b.example")]),
    ],
)
def test_addresses_are_read(value: bytes, expected: list[tuple[str, str]]) -> None:
    assert [(mailbox.name, mailbox.address) for mailbox in addresses(value)] == expected


@pytest.mark.parametrize(
    "value",
    [
        b"<a@b.example> <evil@c.example>",
        b"evil@c.example <a@b.example",
        b"a@b.example <evil@c.example> x",
        b"<a@b.example>evil@c.example",
        b"evil a@b.example",
        b"a@b.example evil@c.example",
        b"<a@b.example, evil@c.example>",
        b"a@b.example\0evil",
        b"a@b@c.example",
    ],
)
def test_what_is_not_one_plain_address_equals_none(value: bytes) -> None:
    assert "a@b.example" not in [mailbox.address for mailbox in addresses(value)]


def test_a_name_that_looks_like_an_address_is_only_a_name() -> None:
    assert [mailbox.address for mailbox in addresses(b'"boss@agency.example" <evil@c.example>')] == ["evil@c.example"]


def test_message_ids_are_found_with_folds_and_words_between() -> None:
    assert message_ids(b" <a@b>\r\n <c\r\n @d>, and <e> text") == ("<a@b>", "<c@d>", "<e>")
    assert message_ids(b"no id") == ()


# Dates


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        (b"Tue, 03 Mar 2026 10:15:00 -0500", "2026-03-03T15:15:00+00:00"),
        (b"3 Mar 2026 10:15 +0100 (CET)", "2026-03-03T09:15:00+00:00"),
        (b"Tue, 3 Mar 98 10:15:09 EST", "1998-03-03T15:15:09+00:00"),
        (b"3 Mar 26 10:15:09 GMT", "2026-03-03T10:15:09+00:00"),
        (b"3 Mar 126 10:15:09 PDT", "2026-03-03T17:15:09+00:00"),
        (b"Tue,3 Mar 2026\r\n 10:15:60 Z", "2026-03-03T10:15:59+00:00"),
        (b"(Tuesday) Tue, 3 March 2026 10:15:00 -0000", "2026-03-03T10:15:00+00:00"),
        (b"Tue, 3 Mar 2026 10:15:00", "2026-03-03T10:15:00+00:00"),
    ],
)
def test_dates_are_read(value: bytes, iso: str) -> None:
    found = parse_date(value)
    assert found is not None
    assert found.isoformat() == iso


@pytest.mark.parametrize(
    "value", [b"", b"yesterday", b"31 Feb 2026 10:00 +0000", b"3 Foo 2026 10:00 +0000", b"3 Mar 2026 25:00 +0000",
              b"3 Mar 2026 10:00 +9999", b"1 Jan 0000 00:00 +0000", b"1 Jan 0001 00:00 +2300"],
)  # fmt: skip
def test_what_is_no_date_is_none(value: bytes) -> None:
    assert parse_date(value) is None


START, END = (dt.datetime(year, 1, 2, tzinfo=dt.UTC).replace(tzinfo=None) for year in (1950, 2999))


@settings(max_examples=100, deadline=None)
@given(st.datetimes(START, END), st.integers(-720, 720))
def test_dates_come_back_as_they_were_written(moment: dt.datetime, minutes: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    instant = moment.replace(microsecond=0, tzinfo=zone)
    assert parse_date(format_datetime(instant).encode()) == instant
    assert parse_date(format_date(instant).encode()) == instant


_NUMBERS = st.integers(0, 99).map(lambda number: f"{number:02}")
_PLAIN_DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}{}".format,
    st.sampled_from(["Mon", "mon", "Xyz"]), st.integers(0, 99), st.sampled_from(["Mar", "DEC", "Foo"]),
    st.integers(0, 9999).map(lambda year: f"{year:04}"), _NUMBERS, _NUMBERS, _NUMBERS, st.sampled_from("+-"),
    st.integers(0, 9999).map(lambda zone: f"{zone:04}"),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(_PLAIN_DATES)
def test_a_date_read_at_a_glance_is_the_one_read_slowly(text: str) -> None:
    plain = f" {text}".encode("ascii")
    assert parse_date(plain) == parse_date(plain + b" (read slowly)")


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="<>"), min_size=1))
def test_an_id_read_at_a_glance_is_the_one_read_slowly(text: str) -> None:
    plain = f" <{text}>".encode("ascii")
    assert message_ids(plain) == message_ids(b" " + plain) == (f"<{text}>",)


def test_an_id_that_is_too_long_is_none_at_a_glance_either() -> None:
    assert message_ids(b" <%s>" % (b"a" * 999)) == message_ids(b"  <%s>" % (b"a" * 999)) == ()
