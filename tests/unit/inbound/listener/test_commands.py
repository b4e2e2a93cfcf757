from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.inbound.listener.commands import parse_chunk, parse_mail, parse_rcpt
from gateway.inbound.listener.seam import MailParameters, RecipientParameters
from gateway.inbound.replies import BadCommand
from tests.unit.inbound.listener import slow_parser


def mail_of(value: MailParameters) -> tuple[object, ...]:
    return (value.sender, value.size, value.body, value.smtputf8, value.ret, value.envid, value.auth)


def rcpt_of(value: RecipientParameters) -> tuple[object, ...]:
    return (value.address, value.notify, value.orcpt)


def fast_mail(argument: bytes) -> tuple[object, ...] | int:
    try:
        return mail_of(parse_mail(argument))
    except BadCommand as problem:
        return problem.reply.code


def fast_rcpt(argument: bytes, *, smtputf8: bool) -> tuple[object, ...] | int:
    try:
        return rcpt_of(parse_rcpt(argument, smtputf8=smtputf8))
    except BadCommand as problem:
        return problem.reply.code


# Fragments of the grammar, right and wrong, put together at random: nearly every rule is met from both sides.
LOCALS = [
    "joe",
    "a.b",
    "o'hara+tag",
    '"john doe"',
    '"a\\"b"',
    '"joe"',
    '""',
    "a..b",
    ".a",
    "a.",
    "jöe",
    "x" * 64,
    "x" * 65,
]
DOMAINS = ["b.test", "gw.b-c.test", "[192.0.2.1]", "[IPv6:2001:db8::1]", "-b.test", "b-.test", "b..test",
           "bücher.test", "x" * 63 + ".test", "x" * 64 + ".test", "b.test.", "b_c.test",
           ".".join(["x" * 60] * 4)]  # fmt: skip
ROUTES = ["", "", "", "@r.test:", "@r.test,@s.test:", "@r.test", "@-r:"]
PARAMETERS = ["SIZE=1000", "size=0", "SIZE=", "SIZE", "SIZE=1e3", "SIZE=" + "9" * 21, "BODY=8BITMIME", "body=7bit",
              "BODY=BINARYMIME", "BODY=8Bıtmime", "SMTPUTF8", "SMTPUTF8=1", "RET=FULL", "RET=hdrs", "RET=HALF",
              "ENVID=a+2Bb", "ENVID=a+2b", "ENVID=" + "e" * 101, "ENVID=+0A", "ENVID=é", "AUTH=<>", "AUTH=é",
              "AUTH=joe+40b.test", "NOTIFY=NEVER", "NOTIFY=SUCCESS,FAILURE", "NOTIFY=NEVER,DELAY", "NOTIFY=",
              "NOTIFY=NEVER,NEVER",
              "ORCPT=rfc822;Joe+40B.test", "ORCPT=rfc822", "ORCPT=;a", "ORCPT=utf-8;jöe@b.test", "ORCPT=rfc822;a+FFb",
              "ORCPT=rfc822;" + "o" * 500, "X-OTHER=1", "", "=", "A=B=C", "-A=1"]  # fmt: skip

paths = st.one_of(
    st.builds("<{}{}@{}>".format, st.sampled_from(ROUTES), st.sampled_from(LOCALS), st.sampled_from(DOMAINS)),
    st.sampled_from(
        ["<>", "<postmaster>", "<PostMaster>", "<joe>", "<joe@>", "joe@b.test", "<joe@b.test", "", " <joe@b.test>"]
    ),
)
parameters = st.lists(st.sampled_from(PARAMETERS), max_size=3).map(lambda items: "".join(f" {item}" for item in items))
tails = st.sampled_from(["", "", "", " ", "  ", "x", "\t"])


def command(keywords: list[str]) -> st.SearchStrategy[bytes]:
    whole = st.builds("{}{}{}{}".format, st.sampled_from(keywords), paths, parameters, tails).map(str.encode)
    cut = st.builds(
        lambda text, at, octet: text[: at % (len(text) + 1)] + octet + text[at % (len(text) + 1) + 1 :],
        whole,
        st.integers(0, 400),
        st.binary(max_size=2),
    )
    return st.one_of(whole, cut, st.binary(max_size=60))


@settings(max_examples=1000)
@given(command(["FROM:", "FROM:", "from:", "From:", "TO:", "FROM: ", "FROM"]))
@example(b"FROM:<" + b"@r.test," * 200)
@example(b"FROM:<a@b.test> " + b"A" * 12_000)
@example(b"FROM:<" + b"-" * 12_000)
@example(b"FROM:<a@" + b"b-" * 6_000 + b">")
@example(b"FROM:<@" + b"b-" * 6_000 + b">")
@example(b'FROM:<"' + b"\\a" * 6_000)
def test_mail_equals_the_slow_reference_and_raises_nothing_else(argument: bytes) -> None:
    assert fast_mail(argument) == slow_parser.mail(argument)


@settings(max_examples=1000)
@given(command(["TO:", "TO:", "to:", "To:", "FROM:", "TO: ", "TO"]), st.booleans())
def test_rcpt_equals_the_slow_reference_and_raises_nothing_else(argument: bytes, smtputf8: bool) -> None:
    assert fast_rcpt(argument, smtputf8=smtputf8) == slow_parser.rcpt(argument, smtputf8=smtputf8)


def test_a_full_mail_command_is_read() -> None:
    assert parse_mail(b"FROM:<joe@b.test> SIZE=123 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=<>") == (
        MailParameters("joe@b.test", 123, "8BITMIME", smtputf8=True, ret="HDRS", envid="QQ+1", auth="<>")
    )


def test_a_full_rcpt_command_is_read() -> None:
    assert parse_rcpt(b"TO:<sm-7k2q@gw.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Sm-7K2Q+40gw.test") == (
        RecipientParameters("sm-7k2q@gw.test", frozenset({"SUCCESS", "DELAY"}), "rfc822;Sm-7K2Q@gw.test")
    )


def test_the_plain_command_has_defaults() -> None:
    assert parse_mail(b"FROM:<>") == MailParameters("", None, "7BIT", smtputf8=False, ret=None, envid=None, auth=None)
    assert parse_rcpt(b"TO:<a@b.test>") == RecipientParameters("a@b.test", None, None)


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"TO:<@r.test,@s.test:a@b.test>", "a@b.test"),
        (b'TO:<"joe"@b.test>', "joe@b.test"),
        (b'TO:<"j\\oe"@b.test>', "joe@b.test"),
        (b'TO:<"john doe"@b.test>', '"john doe"@b.test'),
        (b'TO:<"a@b"@c.test>', '"a@b"@c.test'),
        (b"TO:<Postmaster>", "Postmaster"),
        (b"TO:<A@B.Test>", "A@B.Test"),
    ],
)
def test_an_address_is_brought_to_its_shortest_form(argument: bytes, address: str) -> None:
    assert parse_rcpt(argument).address == address


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"<a@b.test>", "501 5.5.2 syntax: RCPT TO:<address>, without spaces before the bracket"),
        (b"TO: <a@b.test>", "501 5.5.2 syntax: RCPT TO:<address>, without spaces before the bracket"),
        (b"TO:<a@b.test>NOTIFY=NEVER", "501 5.5.2 syntax: RCPT TO:<address>, then parameters each led by one space"),
        (
            b"TO:<a@b.test>  NOTIFY=NEVER",
            "501 5.5.4 a parameter has the form KEYWORD or KEYWORD=value, led by one space",
        ),
        (b"TO:<a@b.test> SIZE=1", "555 5.5.4 a parameter of this command is not offered here"),
        (b"TO:<a@b.test> NOTIFY=NEVER NOTIFY=NEVER", "555 5.5.4 NOTIFY is given twice"),
        (b"TO:<a@b.test> NOTIFY", "501 5.5.4 NOTIFY needs a value"),
        (b"TO:<a@[192.0.2.1]>", "553 5.1.3 address literals are not served here; use a domain name"),
        (b"TO:<a b@c.test>", "553 5.1.3 malformed address; the form is <name@domain>"),
        (b"TO:<>", "553 5.1.3 an address with a domain is needed here"),
        ("TO:<jöe@b.test>".encode(), "553 5.6.7 an address that is not ASCII needs SMTPUTF8 on MAIL"),
        (b"TO:<\xff@b.test>", "501 5.5.2 a command is ASCII, or UTF-8 where SMTPUTF8 is given"),
        (b"TO:<" + b"x" * 65 + b"@b.test>", "553 5.1.3 the address is too long"),
    ],
)
def test_each_fault_has_its_precise_reply(argument: bytes, reply: str) -> None:
    with pytest.raises(BadCommand) as caught:
        parse_rcpt(argument)
    assert str(caught.value.reply) == reply


def test_an_address_may_be_utf8_where_the_transaction_says_so() -> None:
    assert parse_mail("FROM:<jöe@bücher.test> SMTPUTF8".encode()).sender == "jöe@bücher.test"
    assert parse_rcpt("TO:<jöe@bücher.test>".encode(), smtputf8=True).address == "jöe@bücher.test"


def test_an_address_with_invisible_characters_is_refused_even_then() -> None:
    with pytest.raises(BadCommand):
        parse_mail("FROM:<j\u202eoe@b.test> SMTPUTF8".encode())


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [(b"0", (0, False)), (b"86400 LAST", (86400, True)), (b"5 last ", (5, True)), (b"007", (7, False))],
)
def test_a_chunk_command_is_read(argument: bytes, chunk: tuple[int, bool]) -> None:
    assert parse_chunk(argument) == chunk


@pytest.mark.parametrize(
    "argument", [b"", b"-1", b"1e3", b"5 LASTLY", b"5  LAST", b"LAST", b"9" * 21, "٣".encode(), b"+5"]
)
def test_a_chunk_command_of_another_form_is_refused(argument: bytes) -> None:
    with pytest.raises(BadCommand):
        parse_chunk(argument)
