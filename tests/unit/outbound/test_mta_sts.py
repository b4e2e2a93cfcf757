from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.outbound.mta_sts import LONGEST, Mode, NoPolicy, Policy, parse, policy_id

GOOD = "version: STSv1\r\nmode: enforce\r\nmx: mail.agent.example\r\nmx: *.agent.example\r\nmax_age: 604800\r\n"


def test_a_policy_is_read() -> None:
    assert parse(GOOD) == Policy(Mode.ENFORCE, ("mail.agent.example", "*.agent.example"), timedelta(days=7))


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace("\r\n", "\n"),
        GOOD.rstrip(),
        GOOD + "future: anything: at all\r\n",
        GOOD + "mode: none\r\nmax_age: 1\r\n",
        GOOD.replace("mode: enforce", "mode:enforce"),
        GOOD.replace("mode: enforce", "mode \t:   enforce  "),
        "\r\n" + GOOD,
    ],
)
def test_what_the_standard_lets_vary_changes_nothing(body: str) -> None:
    assert parse(body) == parse(GOOD)


@pytest.mark.parametrize(
    "body",
    [
        "", "nothing", "<html></html>", GOOD.replace("STSv1", "STSv2"), GOOD.replace("version: STSv1\r\n", ""),
        GOOD.replace("enforce", "strict"), GOOD.replace("604800", "-1"), GOOD.replace("604800", "99999999999"),
        GOOD.replace("604800", "soon"), GOOD.replace("max_age: 604800\r\n", ""),
        "version: STSv1\r\nmode: enforce\r\nmax_age: 1\r\n", GOOD.replace("*.agent", "*.*.agent"),
        GOOD.replace("*.agent", "m*.agent"), GOOD.replace("mail.agent.example", "a b"),
        GOOD + "mx: mail.agent.example\r\n" * 200,
    ],
)  # fmt: skip
def test_what_is_no_policy_is_none(body: str) -> None:
    with pytest.raises(NoPolicy):
        parse(body)


def test_no_policy_holds_for_longer_than_a_year() -> None:
    assert parse(GOOD.replace("604800", "4000000000")).max_age == LONGEST


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("mail.agent.example", True), ("mx7.agent.example", True), ("agent.example", False),
        ("a.b.agent.example", False), ("mail.agent.example.evil.example", False), ("evilagent.example", False),
    ],
)  # fmt: skip
def test_a_star_stands_for_one_label(host: str, covered: bool) -> None:
    assert parse(GOOD).covers(host) is covered


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([b"v=STSv1; id=20261122T1;"], "20261122T1"),
        ([b"v=STSv1;id=a", b"google-site-verification=x"], "a"),
        ([b"v=STSv1; x=y; id=7 ; z=w"], "7"),
        ([], None),
        ([b"v=STSv1; id=a", b"v=STSv1; id=b"], None),
        ([b"v=STSv1;"], None),
        ([b"v=STSv1; id=" + b"a" * 33], None),
        ([b"v=STSv1; id=a.b"], None),
        ([b"v=STSv1; id=a; id=b"], None),
        ([b"id=a; v=STSv1"], None),
        ([b"v=STSv10; id=a"], None),
        ([b"v=STSv1; id=\xff"], None),
    ],
)
def test_an_id_counts_where_it_is_the_only_one(texts: list[bytes], found: str | None) -> None:
    assert policy_id(texts) == found
