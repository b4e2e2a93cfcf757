"""The plans for Postfix and Exchange, for configurations of each kind; addresses of enrolled people."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.exchange import exchange_plan
from gateway.cli.mail_plans import relay_of
from gateway.cli.postfix import access_map, postfix_plan
from gateway.config import Settings, load
from gateway.domain.errors import ConfigError
from tests.dialogs.certificates import make_certificate

SITE = """
[site]
name = "Site"
domain = "secure.example.gov"
portal_url = "https://portal.example.gov/"
environment = "trial"
employee_domains = ["example.gov"]

[tls]
certificate = "tls/chain.pem"
key = "tls/key.pem"
"""
OWN = """
[relay.mta]
kind = "own-mta"
authenticates_senders = true
{door} = ["{place}"]
networks = ["10.0.0.5"]
client_ca = "tls/mta.pem"
"""
CLOUD = """
[relay.cloud]
kind = "exchange-online"
authenticates_senders = true
starttls = ["{place}"]
networks = ["10.0.0.0/28"]
client_ca = "tls/cloud.pem"
client_names = ["mail.protection.outlook.com"]
tenants = ["11111111-2222-4333-8444-555555555555"]
originator_orgs = ["example.gov"]
{more}
"""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
FOLDER = Path("/etc/postfix")


def settings(folder: Path, *relays: str, authority: bool = False) -> Settings:
    above = make_certificate(folder / "above", "ca.example.gov") if authority else None
    made = make_certificate(folder / "tls", "secure.example.gov", authority=above)
    assert made[0] == folder / "tls" / "chain.pem"
    file = folder / "gateway.toml"
    file.write_text(SITE + "".join(relays))
    return load(file)


def own(folder: Path, door: str = "starttls", place: str = "10.0.0.1:2525", **more: bool) -> Settings:
    return settings(folder, OWN.format(door=door, place=place), **more)


def cloud(folder: Path, place: str = "10.0.0.1:25", more: str = "") -> Settings:
    return settings(folder, CLOUD.format(place=place, more=more))


def postfix(told: Settings, host: str = "", *addresses: str) -> str:
    return postfix_plan(told, relay_of(told, "", online=False), FOLDER, host, list(addresses), AUTHORITIES)


def exchange(told: Settings, host: str = "", *addresses: str) -> str:
    return exchange_plan(told, relay_of(told, "", online=None), host, list(addresses))


def test_postfix_is_led_to_where_the_relay_listens(tmp_path: Path) -> None:
    plan = postfix(own(tmp_path))
    assert 'echo "secure.example.gov  gateway:[10.0.0.1]:2525" > "$at/gateway_transport"' in plan
    assert "smtp_tls_wrappermode=no" in plan
    assert "10.0.0.1  OK" in plan


def test_a_door_of_tls_from_the_first_octet_is_spoken_to_so(tmp_path: Path) -> None:
    assert "smtp_tls_wrappermode=yes" in postfix(own(tmp_path, "tls"))


def test_a_certificate_that_vouches_for_itself_is_handed_over(tmp_path: Path) -> None:
    assert "-----BEGIN CERTIFICATE-----" in postfix(own(tmp_path))


def test_a_certificate_of_an_authority_is_known_by_that(tmp_path: Path) -> None:
    plan = postfix(own(tmp_path, authority=True))
    assert "CERTIFICATE-----" not in plan
    assert f"authorities={AUTHORITIES}" in plan


@pytest.mark.parametrize("place", ["0.0.0.0:2525", "[::]:2525"])
def test_where_notifications_come_from_is_asked_for_if_nobody_knows(place: str, tmp_path: Path) -> None:
    told = own(tmp_path, place=place)
    with pytest.raises(ConfigError, match="--gateway-address"):
        postfix(told)
    plan = postfix(told, "", "192.0.2.4")
    assert "gateway:[secure.example.gov]:2525" in plan
    assert "192.0.2.4  OK" in plan


@pytest.mark.parametrize(
    "odd", ["/etc/my postfix", "/etc/$(id)", "/etc/`id`", "/etc/a;b", '/etc/"', "/etc/a\nb", "/etc/é"]
)
def test_no_script_for_root_is_made_of_what_a_shell_would_take_apart(odd: str, tmp_path: Path) -> None:
    told = own(tmp_path)
    relay = relay_of(told, "", online=False)
    for folder, host, hosts, authorities, option in (
        (Path(odd), "", [], AUTHORITIES, "folder"),
        (FOLDER, odd, [], AUTHORITIES, "host"),
        (FOLDER, "", ["192.0.2.4", odd], AUTHORITIES, "gateway-address"),
        (FOLDER, "", [], Path(odd), "authorities"),
    ):
        with pytest.raises(ConfigError, match=f"--{option}: .* cannot stand in a plan"):
            postfix_plan(told, relay, folder, host, hosts, authorities)
    with pytest.raises(ConfigError, match="--host: "):
        exchange(told, odd)


def test_without_a_relay_there_is_no_plan(tmp_path: Path) -> None:
    told = settings(tmp_path)
    with pytest.raises(ConfigError, match=r"add a table \[relay.mta\]"):
        postfix(told)


def test_exchange_online_is_given_a_connector_a_rule_and_what_to_switch_off(tmp_path: Path) -> None:
    plan = exchange(cloud(tmp_path), "", "192.0.2.4")
    for words in (
        "New-OutboundConnector -Name 'Secure gateway' -ConnectorType Partner -RecipientDomains 'secure.example.gov'",
        "-TlsSettings DomainValidation -TlsDomain 'secure.example.gov'",
        "Set-DkimSigningConfig",
        "foreach ($own in 'example.gov')",
        "-SentToMemberOf 'gateway-enrolled' -ExceptIfSenderIpRanges 192.0.2.4",
        "-TNEFEnabled $false",
        "ApplyHtmlDisclaimerText",
        "ApplyRightsProtectionTemplate",
        "'portal.example.gov/*'",
    ):
        assert words in plan
    assert "lead port 25" not in plan
    assert "{" not in plan.replace("{ ", "").replace("{\n", "").replace("@{", "")


def test_exchange_online_speaks_to_port_25_alone(tmp_path: Path) -> None:
    assert "lead port 25 of secure.example.gov to the relay's listener" in exchange(cloud(tmp_path, "10.0.0.1:2525"))


def test_a_secret_is_asked_for_and_never_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 40)
    plan = exchange(cloud(tmp_path, more='proof = "secret"\nsecret_file = "secret"'))
    assert "-SetHeaderName 'x-gateway-relay-proof' -SetHeaderValue (Read-Host" in plan
    assert "s" * 40 not in plan
    assert "Set-DkimSigningConfig" not in plan


def test_exchange_of_the_sites_own_is_given_a_send_connector(tmp_path: Path) -> None:
    plan = exchange(own(tmp_path))
    assert "New-SendConnector" in plan
    assert "-Port 2525" in plan
    assert "New-OutboundConnector" not in plan


def test_several_relays_are_told_apart_by_name(tmp_path: Path) -> None:
    told = settings(tmp_path, OWN.format(door="tls", place="10.0.0.1:2465"), CLOUD.format(place="10.0.0.1:25", more=""))
    with pytest.raises(ConfigError, match="name one"):
        relay_of(told, "", online=None)
    assert relay_of(told, "cloud", online=None).name == "cloud"
    assert relay_of(told, "", online=False).name == "mta"


def test_an_access_map_has_each_address_once() -> None:
    assert access_map(["b@x.example", "a@x.example", "b@x.example"]) == (
        "a@x.example  gateway_blocked\nb@x.example  gateway_blocked\n"
    )
