"""Direct delivery to hosts on loopback, by DNS and policy hosts of the test's own: what is delivered, what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.domain.delivery import DeliveryState
from gateway.outbound.tls_policy import Rule
from gateway.store.database import Database
from gateway.store.destinations import forget_verified
from tests.abroad import ANN, BACK, DOMAIN, HELO, HOST, MAIL, Abroad, folder_database, policy, policy_host
from tests.authority import Authority, Shown
from tests.nameserver import nameserver
from tests.ports import free_port
from tests.relay import Sink, relay, scripted

DELIVERED, DELAYED, FAILED = DeliveryState.DELIVERED, DeliveryState.DELAYED, DeliveryState.FAILED
STS = f"mta-sts.{DOMAIN}"


class Time:
    """A clock that can be moved on; certificates are judged by the machine's own."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def shown(authority: Authority) -> Shown:
    return authority.issue(HOST)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def database(tmp_path: Path, time: Time) -> Iterator[Database]:
    opened = folder_database(tmp_path, time)
    yield opened
    opened.close()


@pytest.fixture
async def abroad(database: Database, authority: Authority) -> AsyncIterator[Abroad]:
    async with nameserver({}) as server:
        yield Abroad(server, authority, database)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
async def port(sink: Sink, shown: Shown) -> AsyncIterator[int]:
    async with relay(sink, shown) as opened:
        yield opened


async def test_mail_goes_to_the_domain_s_host_and_its_tls_is_remembered(abroad: Abroad, sink: Sink, port: int) -> None:
    outcome = await abroad.send(port)
    assert (outcome.state, outcome.code) == (DELIVERED, 250)
    assert sink.mail[0].content == MAIL
    assert sink.mail[0].rcpt_tos == [str(ANN)]
    assert abroad.outcomes() == {("no-policy-found", "", HOST): 1}
    assert abroad.verified() == [(DOMAIN, "no-policy-found")]


async def test_the_preferred_host_is_tried_first_and_the_next_when_it_is_away(
    abroad: Abroad, sink: Sink, port: int, authority: Authority
) -> None:
    abroad.zone[DOMAIN, "MX"] = ["10 gone.agent.example.", "5 none.agent.example.", f"20 {HOST}."]
    abroad.zone["gone.agent.example", "A"] = ["127.0.0.9"]
    assert (await abroad.send(port)).state is DELIVERED
    asked = [name for name, kind in abroad.nameserver.asked if kind == "A"]
    assert asked[:3] == ["none.agent.example", "gone.agent.example", HOST]


async def test_all_addresses_of_a_host_are_tried(abroad: Abroad, sink: Sink, port: int) -> None:
    abroad.zone[HOST, "AAAA"] = ["::1"]
    abroad.zone[HOST, "A"] = ["127.0.0.8", "127.0.0.9", "127.0.0.1"]
    assert (await abroad.send(port, networks=("127.0.0.0/8", "::1/128"))).state is DELIVERED


async def test_a_domain_without_mx_is_its_own_host(abroad: Abroad, sink: Sink, port: int) -> None:
    abroad.zone.clear()
    abroad.zone[DOMAIN, "A"] = ["127.0.0.1"]
    assert (await abroad.send(port)).state is DELIVERED


@pytest.mark.parametrize(
    ("records", "state", "enhanced"),
    [
        (["0 ."], FAILED, "5.1.10"),
        ([f"10 {HELO}."], FAILED, "5.4.6"),
        ([f"10 {HELO}.", f"20 {HOST}."], FAILED, "5.4.6"),
        ([f"10 {HOST}.", f"20 {HELO}.", "30 other.example."], DELIVERED, "2.0.0"),
        (["10 nowhere.example."], DELAYED, "4.4.4"),
        (["10 192.0.2.1."], DELAYED, "4.4.4"),
        (["10 a\\032b.example."], DELAYED, "4.4.4"),
        (["10 silent.example."], DELAYED, "4.4.3"),
    ],
)
async def test_mx_records_mean_what_the_standards_say(
    abroad: Abroad, sink: Sink, port: int, records: list[str], state: DeliveryState, enhanced: str
) -> None:
    abroad.zone[DOMAIN, "MX"] = records
    abroad.nameserver.silent = frozenset({"silent.example"})
    outcome = await abroad.send(port)
    assert (outcome.state, outcome.enhanced) == (state, enhanced)
    assert len(sink.mail) == (state is DELIVERED)


async def test_a_domain_that_is_none_is_final_and_one_nobody_answers_for_is_not(abroad: Abroad, port: int) -> None:
    outcome = await abroad.send(port, "ann@nowhere.example")
    assert (outcome.state, outcome.enhanced) == (FAILED, "5.1.2")
    abroad.nameserver.silent = frozenset({DOMAIN})
    outcome = await abroad.send(port)
    assert (outcome.state, outcome.enhanced) == (DELAYED, "4.4.3")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"])
async def test_poisoned_dns_leads_to_no_private_address(abroad: Abroad, sink: Sink, port: int, address: str) -> None:
    abroad.zone[HOST, "A"] = [address]
    outcome = await abroad.send(port, networks=())
    assert (outcome.state, outcome.enhanced) == (DELAYED, "4.4.4")
    assert sink.mail == []


async def test_a_host_that_calls_itself_by_our_name_gets_nothing(abroad: Abroad) -> None:
    async with scripted(b"220 hello\r\n", b"250-gateway.example\r\n250 HELP\r\n", b"250 ok\r\n") as port:
        outcome = await abroad.send(port)
    assert (outcome.state, outcome.enhanced) == (FAILED, "5.4.6")


# ---- TLS without a policy


async def test_a_host_without_tls_gets_a_content_free_notification_in_clear(abroad: Abroad, sink: Sink) -> None:
    async with relay(sink, None) as port:
        assert (await abroad.send(port)).state is DELIVERED
    assert abroad.outcomes() == {("no-policy-found", "starttls-not-supported", HOST): 1}
    assert abroad.verified() == []


@pytest.mark.parametrize("kind", ["expired", "wrong name", "unknown authority"])
async def test_a_bad_certificate_is_better_than_none_where_nobody_asks_for_more(
    abroad: Abroad, sink: Sink, authority: Authority, tmp_path: Path, kind: str
) -> None:
    async with relay(sink, bad(kind, authority, tmp_path)) as port:
        assert (await abroad.send(port)).state is DELIVERED
    assert abroad.verified() == []


@pytest.mark.parametrize("kind", ["expired", "wrong name", "unknown authority", "no tls"])
async def test_a_destination_that_had_verified_tls_gets_nothing_by_less(
    abroad: Abroad, sink: Sink, port: int, authority: Authority, tmp_path: Path, kind: str, database: Database
) -> None:
    assert (await abroad.send(port)).state is DELIVERED
    shown = None if kind == "no tls" else bad(kind, authority, tmp_path)
    async with relay(sink, shown) as other:
        outcome = await abroad.send(other)
        assert outcome.state is DELAYED
        assert len(sink.mail) == 1
        owner = Database(f"sqlite:///{tmp_path}/gateway.db")
        assert owner.call(forget_verified, DOMAIN, "operator")
        assert not owner.call(forget_verified, DOMAIN, "operator")
        owner.close()
        assert (await abroad.send(other)).state is DELIVERED
    results = {"expired": "certificate-expired", "wrong name": "certificate-host-mismatch",
               "unknown authority": "certificate-not-trusted", "no tls": "starttls-not-supported"}  # fmt: skip
    assert abroad.outcomes()["no-policy-found", results[kind], HOST] >= 1


async def test_one_courier_remembers_at_once_what_the_store_does(abroad: Abroad, sink: Sink, shown: Shown) -> None:
    port = free_port()
    async with relay(sink, shown, port=port):
        one = abroad.courier(port)
        assert (await one.deliver(MAIL, ANN, BACK)).state is DELIVERED
        await one.close()
    async with relay(sink, None, port=port):
        assert (await one.deliver(MAIL, ANN, BACK)).state is DELAYED
        await one.close()
    assert len(sink.mail) == 1


# ---- rules of the site


@pytest.mark.parametrize("kind", ["expired", "wrong name", "unknown authority", "no tls"])
async def test_a_rule_of_the_site_asks_for_verified_tls(
    abroad: Abroad, sink: Sink, authority: Authority, tmp_path: Path, kind: str, port: int
) -> None:
    rules = {DOMAIN: Rule.VERIFIED}
    async with relay(sink, None if kind == "no tls" else bad(kind, authority, tmp_path)) as other:
        assert (await abroad.send(other, rules=rules)).state is DELAYED
    assert (await abroad.send(port, rules=rules)).state is DELIVERED
    assert len(sink.mail) == 1


async def test_a_rule_of_the_site_asks_for_dane(abroad: Abroad, sink: Sink, port: int, shown: Shown) -> None:
    rules = {DOMAIN: Rule.DANE}
    outcome = await abroad.send(port, rules=rules)
    assert (outcome.state, outcome.enhanced) == (DELAYED, "4.7.5")
    abroad.name(port, shown.tlsa(3, 1, 1))
    assert (await abroad.send(port, rules=rules)).state is DELIVERED
    assert abroad.outcomes() == {("tlsa", "dane-required", HOST): 1, ("tlsa", "", HOST): 1}


async def test_plain_is_for_the_site_s_own_networks(abroad: Abroad, sink: Sink) -> None:
    async with relay(sink, None) as port:
        assert (await abroad.send(port, rules={DOMAIN: Rule.PLAIN})).state is DELIVERED
        abroad.zone[HOST, "A"] = ["192.0.2.7"]
        assert (await abroad.send(port, rules={DOMAIN: Rule.PLAIN})).state is DELAYED


# ---- DANE


@pytest.mark.parametrize("form", [(3, 1, 1), (3, 0, 2), (2, 0, 1), (2, 1, 2)])
async def test_dane_delivers_to_the_host_that_dns_names(
    abroad: Abroad, sink: Sink, port: int, shown: Shown, authority: Authority, form: tuple[int, int, int]
) -> None:
    abroad.name(port, (shown if form[0] == 3 else authority).tlsa(*form))
    assert (await abroad.send(port)).state is DELIVERED
    assert abroad.outcomes() == {("tlsa", "", HOST): 1}
    assert abroad.verified() == [(DOMAIN, "tlsa")]


async def test_dane_looks_at_the_key_alone_where_dns_names_it(
    abroad: Abroad, sink: Sink, authority: Authority, tmp_path: Path
) -> None:
    for kind in ("expired", "wrong name", "unknown authority"):
        shown = bad(kind, authority, tmp_path)
        async with relay(sink, shown) as port:
            abroad.name(port, shown.tlsa(3, 1, 1))
            assert (await abroad.send(port)).state is DELIVERED


@pytest.mark.parametrize("kind", ["expired", "wrong name", "unknown authority"])
async def test_an_authority_in_dns_does_not_vouch_for_a_bad_certificate(
    abroad: Abroad, sink: Sink, authority: Authority, tmp_path: Path, kind: str
) -> None:
    async with relay(sink, bad(kind, authority, tmp_path)) as port:
        abroad.name(port, authority.tlsa(2, 0, 1))
        assert (await abroad.send(port)).state is DELAYED
    assert sink.mail == []


async def test_another_certificate_than_the_one_in_dns_gets_nothing(
    abroad: Abroad, sink: Sink, port: int, authority: Authority
) -> None:
    abroad.name(port, authority.issue(HOST).tlsa(3, 1, 1))
    outcome = await abroad.send(port)
    assert (outcome.state, outcome.enhanced) == (DELAYED, "4.7.5")
    assert sink.mail == []
    assert abroad.outcomes() == {("tlsa", "certificate-not-trusted", HOST): 1}


async def test_a_host_with_tlsa_records_gets_nothing_where_starttls_is_stripped(abroad: Abroad, sink: Sink) -> None:
    async with relay(sink, None) as port:
        abroad.name(port, "3 1 1 " + "00" * 32)
        assert (await abroad.send(port)).state is DELAYED
    assert sink.mail == []
    assert abroad.outcomes() == {("tlsa", "starttls-not-supported", HOST): 1}


async def test_tlsa_records_that_cannot_be_had_are_not_taken_for_none(abroad: Abroad, sink: Sink, port: int) -> None:
    abroad.nameserver.silent = frozenset({f"_{port}._tcp.{HOST}"})
    assert (await abroad.send(port)).state is DELAYED
    assert sink.mail == []
    assert abroad.outcomes() == {("tlsa", "dnssec-invalid", HOST): 1}


async def test_records_that_cannot_be_kept_to_still_ask_for_encryption(abroad: Abroad, sink: Sink, port: int) -> None:
    abroad.name(port, "0 0 1 " + "00" * 32)
    assert (await abroad.send(port)).state is DELIVERED
    async with relay(sink, None) as other:
        abroad.name(other, "0 0 1 " + "00" * 32)
        assert (await abroad.send(other)).state is DELAYED
    assert len(sink.mail) == 1


async def test_without_dnssec_tlsa_records_mean_nothing(abroad: Abroad, sink: Sink, port: int) -> None:
    abroad.name(port, "3 1 1 " + "00" * 32)
    abroad.nameserver.vouches = False
    assert (await abroad.send(port)).state is DELIVERED
    abroad.nameserver.vouches = True
    assert (await abroad.send(port, dnssec=False)).state is DELIVERED


async def test_a_host_behind_an_alias_is_asked_for_by_the_name_it_ends_at(
    abroad: Abroad, sink: Sink, port: int, shown: Shown
) -> None:
    abroad.zone[DOMAIN, "MX"] = ["10 alias.agent.example."]
    abroad.zone["alias.agent.example", "CNAME"] = [f"{HOST}."]
    abroad.name(port, shown.tlsa(3, 1, 1))
    assert (await abroad.send(port)).state is DELIVERED
    assert abroad.outcomes() == {("tlsa", "", "alias.agent.example"): 1}


# ---- MTA-STS


def publish(abroad: Abroad, policy_id: str = "1") -> None:
    abroad.zone[f"_mta-sts.{DOMAIN}", "TXT"] = [f'"v=STSv1; id={policy_id};"']
    abroad.zone[STS, "A"] = ["127.0.0.1"]


async def test_a_policy_that_is_enforced_delivers_to_its_hosts_alone(
    abroad: Abroad, sink: Sink, port: int, authority: Authority
) -> None:
    publish(abroad)
    abroad.zone[DOMAIN, "MX"] = ["5 evil.example.", f"10 {HOST}."]
    abroad.zone["evil.example", "A"] = ["127.0.0.1"]
    async with policy_host(authority.issue(STS)) as (host, policy_port):
        host.give(policy("enforce", HOST))
        assert (await abroad.send(port, policy_port=policy_port)).state is DELIVERED
        (asked,) = host.asked
    assert asked.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
    assert b"Host: mta-sts.agent.example\r\n" in asked
    assert abroad.outcomes() == {("sts", "validation-failure", "evil.example"): 1, ("sts", "", HOST): 1}
    assert abroad.verified() == [(DOMAIN, "sts")]


@pytest.mark.parametrize("mode", ["enforce", "testing", "none"])
@pytest.mark.parametrize("kind", ["expired", "wrong name", "unknown authority", "no tls", "other host"])
async def test_what_falls_short_of_a_policy_is_refused_when_enforced_and_counted_when_tested(
    abroad: Abroad, sink: Sink, authority: Authority, shown: Shown, tmp_path: Path, mode: str, kind: str
) -> None:
    publish(abroad)
    bad_one = {"no tls": None, "other host": shown}.get(kind, shown if kind in ("no tls", "other host") else None)
    if kind not in ("no tls", "other host"):
        bad_one = bad(kind, authority, tmp_path)
    async with policy_host(authority.issue(STS)) as (host, policy_port), relay(sink, bad_one) as port:
        host.give(policy(mode, *(["other.example"] if kind == "other host" else [HOST])))
        outcome = await abroad.send(port, policy_port=policy_port)
    assert outcome.state is (DELAYED if mode == "enforce" else DELIVERED)
    results = {"expired": "certificate-expired", "wrong name": "certificate-host-mismatch",
               "unknown authority": "certificate-not-trusted", "no tls": "starttls-not-supported",
               "other host": "validation-failure"}  # fmt: skip
    counted = abroad.outcomes()
    if mode != "none":
        assert counted == {("sts", results[kind], HOST): 1}
    else:
        assert {policy_type for policy_type, _, _ in counted} == {"no-policy-found"}


async def test_a_policy_holds_until_it_expires_whatever_dns_and_its_host_say(
    abroad: Abroad, sink: Sink, authority: Authority, time: Time, database: Database, tmp_path: Path
) -> None:
    publish(abroad)
    async with policy_host(authority.issue(STS)) as (host, policy_port), relay(sink, None) as port:
        host.give(policy("enforce", HOST, max_age=3 * 86400))
        assert (await abroad.send(port, policy_port=policy_port)).state is DELAYED
        del abroad.zone[f"_mta-sts.{DOMAIN}", "TXT"]
        assert (await abroad.send(port, policy_port=policy_port)).state is DELAYED
        publish(abroad, "2")
        host.give("gone", status="404 Not Found")
        assert (await abroad.send(port, policy_port=policy_port)).state is DELAYED
        time.ahead = timedelta(days=2)
        assert (await abroad.send(port, policy_port=policy_port)).state is DELAYED
        time.ahead = timedelta(days=4)
        assert (await abroad.send(port, policy_port=policy_port)).state is DELIVERED
    assert abroad.outcomes()["sts", "sts-policy-fetch-error", ""] >= 1


async def test_a_policy_is_fetched_when_its_id_changes_and_daily_and_not_else(
    abroad: Abroad, sink: Sink, port: int, authority: Authority, time: Time
) -> None:
    publish(abroad)
    async with policy_host(authority.issue(STS)) as (host, policy_port):
        host.give(policy("testing", HOST, max_age=1_000_000))
        for _ in range(3):
            await abroad.send(port, policy_port=policy_port)
        assert len(host.asked) == 1
        publish(abroad, "2")
        for _ in range(3):
            await abroad.send(port, policy_port=policy_port)
        assert len(host.asked) == 2
        time.ahead = timedelta(hours=25)
        await abroad.send(port, policy_port=policy_port)
        assert len(host.asked) == 3


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"", "sts-policy-fetch-error"),
        (b"garbage\r\n\r\n", "sts-policy-fetch-error"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n", "sts-policy-fetch-error"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx", "sts-policy-fetch-error"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx", "sts-policy-invalid"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"x: y\r\n" * 50_000, "sts-policy-invalid"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n\xff", "sts-policy-invalid"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n\x1f",
         "sts-policy-fetch-error"),
    ],
)  # fmt: skip
async def test_a_policy_host_that_talks_nonsense_is_counted_and_stops_no_mail(
    abroad: Abroad, sink: Sink, port: int, authority: Authority, answer: bytes, result: str
) -> None:
    publish(abroad)
    async with policy_host(authority.issue(STS)) as (host, policy_port):
        host.answer = answer
        assert (await abroad.send(port, policy_port=policy_port)).state is DELIVERED
    assert abroad.outcomes()["sts", result, ""] == 1


async def test_a_policy_host_with_a_bad_certificate_is_not_believed(
    abroad: Abroad, sink: Sink, port: int, authority: Authority
) -> None:
    publish(abroad)
    async with policy_host(authority.issue("other.example")) as (host, policy_port):
        host.give(policy("enforce", "other.example"))
        assert (await abroad.send(port, policy_port=policy_port)).state is DELIVERED
        assert host.asked == []
    assert abroad.outcomes()["sts", "sts-webpki-invalid", ""] == 1


async def test_a_policy_host_that_hangs_holds_up_no_more_than_its_own_domain(
    abroad: Abroad, sink: Sink, port: int, authority: Authority
) -> None:
    publish(abroad)
    async with policy_host(authority.issue(STS)) as (host, policy_port):
        host.answer = None
        assert (await abroad.send(port, policy_port=policy_port)).state is DELIVERED
    assert abroad.outcomes()["sts", "sts-policy-fetch-error", ""] == 1


async def test_dane_is_above_a_policy(abroad: Abroad, sink: Sink, port: int, authority: Authority) -> None:
    publish(abroad)
    abroad.name(port, authority.issue(HOST).tlsa(3, 1, 1))
    async with policy_host(authority.issue(STS)) as (host, policy_port):
        host.give(policy("testing", HOST))
        assert (await abroad.send(port, policy_port=policy_port)).state is DELAYED
    assert sink.mail == []


def bad(kind: str, authority: Authority, folder: Path) -> Shown:
    if kind == "expired":
        return authority.issue(HOST, expired=True)
    if kind == "wrong name":
        return authority.issue("other.example")
    return Authority(folder, "Nobody").issue(HOST)
