"""The courier against real relays on loopback: TLS or nothing, and every way a dialogue can go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import RelayTls
from gateway.domain.address import Address, parse_address
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import ConfigError
from gateway.outbound.courier import AllowList, Courier
from gateway.outbound.relay import Relay, RelayWay
from tests.relay import Certificate, Sink, cutting_proxy, relay, scripted, settled

ANN = parse_address("ann@agent.example")
BACK = parse_address("b-12345678-abcdefghijklmnopqrst@gateway.example")
MAIL = b"From: notices@gateway.example\r\nSubject: x\r\n\r\n.a line with a dot\r\n..two\r\nend\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
async def port(sink: Sink, certificate: Certificate) -> AsyncIterator[int]:
    async with relay(sink, certificate) as opened:
        yield opened


def courier(port: int, certificate: Certificate | None = None, **changes: object) -> Courier:
    fields: dict[str, object] = {
        "host": "127.0.0.1", "port": port, "helo": "gateway.example",
        "ca_file": certificate.path if certificate else None, "deadline": 20.0,
    }  # fmt: skip
    return Courier(RelayWay(Relay(**{**fields, **changes})), None)  # type: ignore[arg-type]


async def sent(one: Courier, to: Address = ANN) -> Delivery:
    try:
        return await one.deliver(MAIL, to, BACK)
    finally:
        await one.close()


async def test_mail_goes_by_starttls_and_arrives_as_it_is(port: int, sink: Sink, certificate: Certificate) -> None:
    outcome = await sent(courier(port, certificate))
    assert (outcome.state, outcome.code, outcome.enhanced) == (DeliveryState.DELIVERED, 250, "2.0.0")
    (envelope,) = sink.mail
    assert envelope.content == MAIL
    assert (envelope.mail_from, envelope.rcpt_tos) == (str(BACK), ["ann@agent.example"])


async def test_mail_goes_by_implicit_tls(sink: Sink, certificate: Certificate) -> None:
    async with relay(sink, certificate, implicit=True) as port:
        outcome = await sent(courier(port, certificate, tls=RelayTls.IMPLICIT))
    assert outcome.state is DeliveryState.DELIVERED
    assert len(sink.mail) == 1


async def test_the_relay_s_password_is_given_under_tls(sink: Sink, certificate: Certificate) -> None:
    async with relay(sink, certificate, authenticate=True) as port:
        await sent(courier(port, certificate, username="gateway", password="secret"))
    assert sink.logins == [(b"gateway", b"secret")]
    assert len(sink.mail) == 1


async def test_each_mail_has_its_own_return_path(port: int, sink: Sink, certificate: Certificate) -> None:
    one = courier(port, certificate)
    for local in ("b-first", "b-second"):
        await one.deliver(MAIL, ANN, Address(local, "gateway.example"))
    await one.close()
    assert [mail.mail_from for mail in sink.mail] == ["b-first@gateway.example", "b-second@gateway.example"]


async def test_connections_are_kept_for_the_next_mail(port: int, sink: Sink, certificate: Certificate) -> None:
    one = courier(port, certificate)
    for _ in range(3):
        assert (await one.deliver(MAIL, ANN, BACK)).state is DeliveryState.DELIVERED
    await one.close()
    assert len(sink.mail) == 3
    assert len(sink.sessions) == 1


async def test_a_kept_connection_that_went_away_is_replaced(port: int, sink: Sink, certificate: Certificate) -> None:
    one = courier(port, certificate)
    await one.deliver(MAIL, ANN, BACK)
    sink.mail_replies.append("421 4.3.2 closing")
    assert (await sent(one)).state is DeliveryState.DELIVERED
    assert len(sink.mail) == 2


async def test_a_connection_is_not_kept_past_its_age(port: int, sink: Sink, certificate: Certificate) -> None:
    one = courier(port, certificate, keep=0.0)
    await one.deliver(MAIL, ANN, BACK)
    await sent(one)
    assert len(sink.sessions) == 2


@pytest.mark.parametrize(
    ("door", "reply", "state", "enhanced"),
    [
        ("rcpt_replies", "550 5.1.1 <ann@agent.example> unknown", DeliveryState.FAILED, "5.1.1"),
        ("rcpt_replies", "450 4.2.0 greylisted", DeliveryState.DELAYED, "4.2.0"),
        ("rcpt_replies", "421 4.3.2 closing", DeliveryState.DELAYED, "4.3.2"),
        ("data_replies", "554 5.7.1 refused by policy", DeliveryState.FAILED, "5.7.1"),
        ("data_replies", "452 4.3.1 disk full", DeliveryState.DELAYED, "4.3.1"),
        ("mail_replies", "550 5.7.1 sender not known here", DeliveryState.DELAYED, "5.7.1"),
        ("mail_replies", "451 4.3.0 try later", DeliveryState.DELAYED, "4.3.0"),
    ],
)
async def test_what_the_relay_says_decides(
    port: int, sink: Sink, certificate: Certificate, door: str, reply: str, state: DeliveryState, enhanced: str
) -> None:
    getattr(sink, door).append(reply)
    outcome = await sent(courier(port, certificate))
    assert (outcome.state, outcome.enhanced, outcome.code) == (state, enhanced, int(reply[:3]))
    assert "agent.example" not in outcome.text
    assert sink.mail == []


async def test_after_a_refusal_the_next_mail_goes_on_a_new_connection(
    port: int, sink: Sink, certificate: Certificate
) -> None:
    one = courier(port, certificate)
    sink.rcpt_replies.append("550 5.1.1 unknown")
    await one.deliver(MAIL, ANN, BACK)
    assert (await sent(one)).state is DeliveryState.DELIVERED
    assert len(sink.mail) == 1


async def test_a_relay_without_tls_gets_nothing(sink: Sink) -> None:
    async with relay(sink, None) as port:
        outcome = await sent(courier(port))
    assert outcome.state is DeliveryState.DELAYED
    assert sink.mail == []
    assert sink.sessions == set()


async def test_a_certificate_nobody_vouches_for_gets_nothing(port: int, sink: Sink) -> None:
    outcome = await sent(courier(port))
    assert (outcome.state, outcome.text) == (DeliveryState.DELAYED, "no trusted TLS with the host")
    assert sink.sessions == set()


async def test_a_certificate_of_another_host_gets_nothing(sink: Sink, tmp_path: Path) -> None:
    other = Certificate(tmp_path, "other.example")
    async with relay(sink, other) as port:
        outcome = await sent(courier(port, other))
    assert (outcome.state, outcome.text) == (DeliveryState.DELAYED, "no trusted TLS with the host")
    assert sink.sessions == set()


@pytest.mark.parametrize(
    "replies",
    [
        (),
        (b"220 ready\r\n",),
        (b"554 5.3.2 go away\r\n",),
        (b"421 busy\r\n",),
        (b"\x00\xff\xfe garbage without end",),
        (b"garbage\r\n",),
        (b"220-a\r\n220-b\r\n" * 3000,),
        (b"220 ready\r\n", b"502 no\r\n", b"502 no\r\n"),
        (b"220 ready\r\n", b"250-relay\r\n250 STARTTLS\r\n", b"454 4.7.0 not now\r\n"),
        (b"220 ready\r\n", b"250-relay\r\n250 STARTTLS\r\n", b"220 go on\r\n250 injected\r\n"),
        (b"220 ready\r\n", b"250-relay\r\n250 STARTTLS\r\n", b"999 nonsense\r\n"),
    ],
)
async def test_a_broken_relay_only_delays(replies: tuple[bytes, ...]) -> None:
    async with scripted(*replies) as port:
        outcome = await sent(courier(port, deadline=1.0))
    assert outcome.state is DeliveryState.DELAYED


async def test_a_relay_that_is_not_there_only_delays() -> None:
    async with scripted() as port:
        pass
    assert (await sent(courier(port))).text == "the host could not be reached"


@pytest.mark.parametrize("direction", ["there", "back"])
async def test_a_dialogue_cut_anywhere_loses_nothing(
    sink: Sink, certificate: Certificate, port: int, direction: str
) -> None:
    """Cut after every so many octets: what was not taken is delayed, and only the last cuts may leave it in doubt."""
    offset = 0
    outcomes: dict[str, DeliveryState] = {}

    def cut() -> tuple[int, int]:
        return (offset, 1 << 30) if direction == "there" else (1 << 30, offset)

    async with cutting_proxy(port, cut) as through:
        for offset in range(0, 6000, 61):
            to = Address(f"ann{offset}", "agent.example")  # what is cut may be taken while the next one is tried
            outcomes[str(to)] = (await sent(courier(through, certificate, deadline=10.0), to)).state
    await settled()
    taken = Counter(envelope.rcpt_tos[0] for envelope in sink.mail)
    assert set(outcomes.values()) == {DeliveryState.DELIVERED, DeliveryState.DELAYED}
    assert max(taken.values()) == 1
    assert {to for to, state in outcomes.items() if state is DeliveryState.DELIVERED} <= taken.keys()
    assert all(envelope.content == MAIL for envelope in sink.mail)
    assert outcomes[str(to)] is DeliveryState.DELIVERED
    assert sum(outcomes[to] is DeliveryState.DELAYED for to in taken) <= 4


async def test_outside_production_only_the_allow_list_is_written_to(
    port: int, sink: Sink, certificate: Certificate
) -> None:
    trial = Relay("127.0.0.1", port, "gateway.example", ca_file=certificate.path)
    one = Courier(RelayWay(trial), AllowList.of(["Ann@Agent.example", "@test.example"]))
    for address, state in (
        ("ann@agent.example", DeliveryState.DELIVERED),
        ("anybody@test.example", DeliveryState.DELIVERED),
        ("bob@agent.example", DeliveryState.FAILED),
        ("ann@sub.test.example", DeliveryState.FAILED),
    ):
        assert (await one.deliver(MAIL, parse_address(address), BACK)).state is state
    outcome = await sent(one, parse_address("bob@agent.example"))
    assert outcome.text == "not on the allow-list of this environment"
    assert len(sink.mail) == 2


def test_plain_smtp_is_for_this_machine_alone() -> None:
    Relay("127.0.0.1", 25, "gateway.example", tls=RelayTls.NONE)
    with pytest.raises(ValueError, match="TLS"):
        Relay("relay.example", 25, "gateway.example", tls=RelayTls.NONE)
    with pytest.raises(ValueError, match="TLS"):
        Relay("127.0.0.1", 25, "gateway.example", tls=RelayTls.NONE, username="u", password="p")


async def test_plain_smtp_to_a_relay_on_this_machine_works(sink: Sink) -> None:
    async with relay(sink, None) as port:
        outcome = await sent(courier(port, tls=RelayTls.NONE))
    assert outcome.state is DeliveryState.DELIVERED


def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        Courier(RelayWay(Relay("127.0.0.1", 25, "gateway.example", ca_file=path)), None)


def test_a_password_is_not_in_what_is_printed_of_a_relay() -> None:
    assert "secret" not in repr(Relay("relay.example", 587, "gateway.example", username="u", password="secret"))
