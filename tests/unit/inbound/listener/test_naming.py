from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inbound import replies
from gateway.inbound.listener.naming import parse_xclient, parse_xforward
from gateway.inbound.listener.proxy import Endpoint
from gateway.inbound.listener.seam import Forwarded
from gateway.inbound.replies import BadCommand

NAMED = {
    b"ADDR=192.0.2.7": Endpoint("192.0.2.7", 0),
    b"addr=192.0.2.7 port=4711": Endpoint("192.0.2.7", 4711),
    b"NAME=mail.example ADDR=192.0.2.7 PORT=25 PROTO=ESMTP HELO=mail.example": Endpoint("192.0.2.7", 25),
    b"ADDR=IPV6:2001:DB8:0::7": Endpoint("2001:db8::7", 0),
    b"ADDR=ipv6:::ffff:192.0.2.7": Endpoint("192.0.2.7", 0),
    b"ADDR=IPV6+3A2001+3Adb8+3A+3a7": Endpoint("2001:db8::7", 0),
    b"NAME=spike.porcupine.org": None,
    b"NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]": None,
    b"NAME=[TEMPUNAVAIL] ADDR=[unavailable] PORT=[UNAVAILABLE]": None,
    b"NAME=a+20b ADDR=192.0.2.7 ": Endpoint("192.0.2.7", 0),
}
BAD = [
    b"",
    b" ",
    b"ADDR",
    b"ADDR=",
    b"=192.0.2.7",
    b"ADDR=192.0.2.7  PORT=1",
    b" ADDR=192.0.2.7",
    b"ADDR=192.0.2.7 ADDR=192.0.2.8",
    b"ADDR=192.0.2.7 addr=192.0.2.8",
    b"ADDR=192.0.2.256",
    b"ADDR=2001:db8::7",
    b"ADDR=IPV6:192.0.2.7",
    b"ADDR=IPV6:fe80::1%eth0",
    b"ADDR=IPV6:",
    b"ADDR=mail.example",
    b"ADDR=[192.0.2.7]",
    b"PORT=65536",
    b"PORT=-1",
    b"PORT=1e3",
    b"PORT=123456",
    b"PROTO=not+20one",
    b"HELO=a+0D+0Ab",
    b"HELO=a+00b",
    b"HELO=a+FFb",
    b"HELO=a+2",
    b"HELO=a+GG",
    b"HELO=a=b",
    b"HELO=\xc3\xa4",
    b"HELO=" + b"a" * 256,
    b"LOGIN=dana",
    b"DESTADDR=192.0.2.1",
    b"UNKNOWN=1",
    b"ADDR=192.0.2.7\tPORT=1",
]


@pytest.mark.parametrize("argument", NAMED, ids=repr)
def test_xclient_names_a_client(argument: bytes) -> None:
    assert parse_xclient(argument) == NAMED[argument]


@pytest.mark.parametrize("argument", BAD, ids=repr)
def test_attributes_are_read_strictly(argument: bytes) -> None:
    for parse in (parse_xclient, parse_xforward):
        with pytest.raises(BadCommand) as refusal:
            parse(argument)
        assert refusal.value.reply is replies.BAD_ATTRIBUTES


def test_xclient_signs_nobody_in_and_knows_no_ids() -> None:
    for argument in (b"LOGIN=dana", b"IDENT=4fX", b"SOURCE=LOCAL"):
        with pytest.raises(BadCommand):
            parse_xclient(argument)


def test_xforward_tells_where_a_message_came_from() -> None:
    told = b"NAME=desk.example ADDR=192.0.2.7 PORT=4711 PROTO=esmtp HELO=desk IDENT=4fXyZ SOURCE=LOCAL"
    assert parse_xforward(told) == Forwarded("192.0.2.7", 4711, "ESMTP", "4fXyZ", is_local=True)
    assert parse_xforward(b"NAME=[UNAVAILABLE]") == Forwarded("", 0, "", "", is_local=False)
    assert not parse_xforward(b"SOURCE=[UNAVAILABLE]").is_local
    for bad in (b"SOURCE=ELSEWHERE", b"IDENT=" + b"a" * 256):
        with pytest.raises(BadCommand):
            parse_xforward(bad)


@given(st.binary(max_size=80) | st.text(alphabet="ADRPOTNME=+ [0123456789.:IV6", max_size=60).map(str.encode))
def test_no_octets_raise_anything_else(argument: bytes) -> None:
    for parse in (parse_xclient, parse_xforward):
        try:
            found = parse(argument)
        except BadCommand:
            continue
        assert found is None or not found.address or ip_address(found.address)
