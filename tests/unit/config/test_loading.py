from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import config
from gateway.config import ConfigProblems, DkimSettings, Listen, RelayTls, SmimeSettings
from gateway.config.example import Site, example

BAD = sorted((Path(__file__).parents[2] / "bad_configs").glob("*.toml"))
LEAST = """
[site]
name = "Site"
domain = "secure.example.gov"
portal_url = "https://secure.example.gov"
environment = "trial"
"""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_bad_configuration_gets_exactly_its_complaints(path: Path) -> None:
    expected = re.findall(r"^# expect: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert expected, "a bad configuration says what it must get"
    with pytest.raises(ConfigProblems) as report:
        config.load(path)
    told = [str(problem).removeprefix(f"{path}: ") for problem in report.value.problems]
    missing = [words for words in expected if not any(line.startswith(words) for line in told)]
    assert not missing, f"{missing} not in {told}"
    assert len(told) == len(expected), told
    assert all(problem.file == str(path) and problem.do for problem in report.value.problems)


def test_no_secret_of_a_bad_configuration_is_repeated() -> None:
    with pytest.raises(ConfigProblems) as report:
        config.load(next(path for path in BAD if path.stem == "database_with_password"))
    assert "hunter2" not in report.value.advice


def test_an_absent_file_is_one_problem_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match=r"there is no such file.*gateway init"):
        config.load(tmp_path / "gateway.toml")


def test_octets_that_are_no_text_are_one_problem(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_bytes(b"name = \xff")
    with pytest.raises(ConfigProblems, match="not UTF-8"):
        config.load(tmp_path / "gateway.toml")


def written(folder: Path, text: str) -> config.Settings:
    (folder / "gateway.toml").write_text(text, "utf-8")
    return config.load(folder / "gateway.toml")


def test_the_least_configuration_has_every_default(tmp_path: Path) -> None:
    settings = written(tmp_path, LEAST)
    assert settings.site.portal_url == "https://secure.example.gov/"
    assert settings.site.is_trial
    assert settings.store.url == f"sqlite:///{tmp_path}/data/gateway.db"
    assert settings.store.blobs == tmp_path / "data" / "blobs"
    assert settings.keyholder.socket == tmp_path / "run" / "keyholder.sock"
    assert settings.submission.starttls == (Listen("0.0.0.0", 587),)
    assert settings.submission.certificate == settings.portal.certificate == tmp_path / "tls" / "certificate.pem"
    assert settings.submission.max_message_octets == 150 * 1024 * 1024
    assert settings.notifier.relay is None
    assert settings.notifier.sender == "secure-messaging@secure.example.gov"
    assert settings.authenticator.second_factor
    assert [folder.name for folder in settings.programmes] == ["cwa"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    text = (
        LEAST
        + """
data = "/srv/gateway"
[store]
url = "sqlite:///vault/here.db"
reserve = "1 GiB"
[submission]
starttls = ["127.0.0.1:0", "[::1]:587", ":587"]
tls = []
[submission.limits]
chunk_time = "2 min"
[notifier]
relay = "relay.example.gov"
tls = "implicit"
credentials_file = "secrets/relay"
sender = "notices@mail.example.gov"
[notifier.dkim]
domain = "example.gov"
keep = "7 d"
[keys]
folder = "/srv/keys"
[authenticator]
operators = [0, 1000]
"""
    )
    settings = written(tmp_path, text)
    assert settings.store.url == f"sqlite:///{tmp_path}/vault/here.db"
    assert str(settings.store.blobs) == "/srv/gateway/blobs"
    assert settings.store.reserve_octets == 1024**3
    assert [str(one) for one in settings.submission.starttls] == ["127.0.0.1:0", "[::1]:587", "0.0.0.0:587"]
    assert settings.submission.limits.chunk_seconds == 120
    assert settings.notifier.relay is not None
    assert (settings.notifier.relay.tls, settings.notifier.relay.port) == (RelayTls.IMPLICIT, 465)
    assert settings.notifier.relay.credentials_file == tmp_path / "secrets" / "relay"
    assert settings.notifier.dkim == DkimSettings("example.gov", Path("/srv/keys/dkim"), 7 * 86400)
    assert settings.authenticator.operators == (0, 1000)


def test_a_site_s_own_wording_and_certificate_are_paths(tmp_path: Path) -> None:
    assert written(tmp_path, LEAST).notifier.smime is None
    text = '[notifier]\ntemplates = "words"\n[notifier.smime]\ncertificate = "tls/n.pem"\nkey = "/srv/n.key"'
    own = written(tmp_path, LEAST + text).notifier
    assert own.templates == tmp_path / "words"
    assert own.smime == SmimeSettings(tmp_path / "tls" / "n.pem", Path("/srv/n.key"))


def test_a_relay_is_read_whole(tmp_path: Path) -> None:
    text = (
        LEAST
        + """
[submission]
proxies = ["192.0.2.1", "2001:db8::/48"]
[relay.mta]
kind = "own-mta"
authenticates_senders = true
tls = ["127.0.0.1:0"]
networks = ["10.0.0.5", "10.1.0.0/24"]
client_ca = "tls/mta.pem"
client_names = ["mta.example.gov"]
xclient = ["10.0.0.5"]
[relay.second]
kind = "own-mta"
authenticates_senders = true
starttls = [":2525"]
networks = ["2001:db8:1::/64"]
client_ca = "/etc/second.pem"
"""
    )
    submission = written(tmp_path, text).submission
    first, second = submission.relays
    assert (first.name, second.name) == ("mta", "second")
    assert first.starttls == ()
    assert first.tls == (Listen("127.0.0.1", 0),)
    assert [str(one) for one in first.networks] == ["10.0.0.5/32", "10.1.0.0/24"]
    assert first.client_ca == tmp_path / "tls" / "mta.pem"
    assert first.client_names == ("mta.example.gov",)
    assert [str(one) for one in first.xclient] == ["10.0.0.5/32"]
    assert [str(one) for one in submission.proxies] == ["192.0.2.1/32", "2001:db8::/48"]
    assert second.proxies == submission.xclient == ()


@pytest.mark.parametrize("environment", ["trial", "production"])
def test_the_example_shows_every_default_as_it_is(tmp_path: Path, environment: str) -> None:
    """The commented lines, made active, change nothing: so they are the defaults, and every key exists."""
    text = example(Site(environment=environment, relay="relay.example.gov"))
    (direct,) = re.findall(r"^# \[notifier\.direct\]\n(?:# .+\n)+", text, re.MULTILINE)
    bare = example(Site(environment=environment)).replace(direct, "[notifier.direct]\n")
    spelt = bare.replace("[notifier.direct]\n", re.sub(r"^# (?=[a-z_]+ = |\[)", "", direct, flags=re.MULTILINE))
    assert written(tmp_path, spelt) == written(tmp_path, bare)
    text = text.replace(direct, "")
    (smime,) = re.findall(r"^# \[notifier\.smime\]\n(?:# .+\n)+", text, re.MULTILINE)
    (tokens,) = re.findall(r"^# \[authenticator\.providers\.login\.mail\]\n(?:# .+\n)+", text, re.MULTILINE)
    (certificates,) = re.findall(r"^# \[submission\.certificates\]\n(?:# .+\n)+", text, re.MULTILINE)
    text = text.replace(tokens, "").replace(certificates, "")
    text = re.sub(r"^# \[fax\]\n(?:(?:# .+)?\n)+?(?=\[)", "", text.replace(smime, ""), flags=re.MULTILINE)
    shown = re.sub(
        r"^# (?=[a-z_]+ = |\[notifier.dkim\]|\[relay.(?:mta|cloud)\]"
        r"|\[authenticator.providers.login\]|\[mx(?:.limits)?\]|\[security.sunsets.firms\]"
        r"|\[guard\]|\[full_copies.smime\])",
        "",
        text,
        flags=re.MULTILINE,
    )
    every = written(tmp_path, shown)
    assert [relay.name for relay in every.submission.relays] == ["mta", "cloud"]
    every = replace(every, submission=replace(every.submission, relays=()))
    assert [one.title for one in every.authenticator.providers] == ["Login.gov"]
    every = replace(every, authenticator=replace(every.authenticator, providers=()))
    assert [one.name for one in every.security.sunsets] == ["firms"]
    every = replace(every, security=replace(every.security, sunsets=()))
    assert every.full_copies.keys.smime is not None
    assert every.full_copies.keys.smime.crl is None
    keys = replace(every.full_copies.keys, smime=None)
    every = replace(every, full_copies=replace(every.full_copies, keys=keys))
    assert every.guard == written(tmp_path, text + "\n[guard]\n").guard
    assert every.guard is not None
    every = replace(every, guard=None)
    assert every.mx == written(tmp_path, text + '\n[mx]\nposition = "first-hop"\n').mx
    assert every.mx is not None
    assert replace(every, mx=None) == written(tmp_path, text)


def test_a_policy_of_mta_sts_names_the_site_s_hosts(tmp_path: Path) -> None:
    door = LEAST + '[mx]\nposition = "first-hop"\nhostname = "mx.example.gov"\n'
    off, on = written(tmp_path, door).mx, written(tmp_path, f'{door}mta_sts = "enforce"\n').mx
    assert off is not None
    assert on is not None
    assert off.policy == ""
    assert on.policy == "version: STSv1\r\nmode: enforce\r\nmx: mx.example.gov\r\nmax_age: 604800\r\n"


def test_the_example_shows_a_fax_line_that_would_do(tmp_path: Path) -> None:
    (line,) = re.findall(r"^# \[fax\]\n(?:(?:# .+)?\n)+?(?=\[)", example(Site()), re.MULTILINE)
    spelt = re.sub(r"^# (?=[a-z_]+ = |\[)", "", line, flags=re.MULTILINE)
    least = """
[fax]
metrics = "127.0.0.1:9110"
[fax.mailboxes.intake]
host = "imap.example.gov"
credentials_file = "fax-intake.secret"
silent_after = "1 d"
[fax.servers.router]
listen = ["10.0.0.1:25"]
networks = ["10.0.0.9"]
silent_after = "1 d"
reports_to = ["@fax.example.gov"]
[fax.profiles.acme]
when = ["subject: ^Acme fax"]
calling = ["subject: from ([0-9+]+)"]
pages = ["body: ^Pages: *([0-9]+)"]
"""
    settings = written(tmp_path, LEAST.replace("secure.example.gov", "secure.localhost") + least)
    assert settings.fax is not None
    shown = LEAST.replace("secure.example.gov", "secure.localhost") + spelt
    assert written(tmp_path, shown).fax == settings.fax
    assert "fax" in settings.programs
    assert "fax" not in written(tmp_path, LEAST).programs
    (mailbox,) = settings.fax.mailboxes
    assert (mailbox.port, mailbox.filed, mailbox.idle_seconds, mailbox.time_zone) == (993, "Filed", 540, None)


def test_without_its_table_the_public_door_does_not_run(tmp_path: Path) -> None:
    assert "mx" not in written(tmp_path, LEAST).programs
    settings = written(tmp_path, LEAST + '[mx]\nposition = "behind-relay"\ntainted = "refuse"\nxforward = ["10.0.0.9"]')
    assert set(config.PROGRAMS) - set(settings.programs) == {"fax", "guard"}
    assert settings.mx is not None
    assert settings.mx.listen == (Listen("0.0.0.0", 25),)
    assert (settings.mx.max_message_octets, settings.mx.limits.in_flight_octets) == (25 << 20, 256 << 20)
    assert settings.mx.position is config.Position.BEHIND_RELAY
    assert settings.mx.clean is config.Clean.REFUSE
    assert set(config.CONSEQUENCES) == set(config.Position)


def test_names_with_quotes_survive_the_example(tmp_path: Path) -> None:
    assert written(tmp_path, example(Site(name='The "Office" \\ here'))).site.name == 'The "Office" \\ here'


def test_every_key_is_in_the_example() -> None:
    """A key that the loader reads is shown to whoever begins."""
    source = "".join(path.read_text("utf-8") for path in Path(config.__file__).parent.glob("*.py"))
    read = set(re.findall(r'\b(?:table|inner)\.(?!complain|has|table|named)\w+\(\s*"([a-z_]+)"', source))
    shown = set(re.findall(r"^(?:# )?([a-z_]+) = ", example(Site(relay="x")), re.MULTILINE))
    assert read - shown == set()
