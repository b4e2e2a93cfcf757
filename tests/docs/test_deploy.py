"""deploy/: the example configuration is one, and each program's unit hides the keys of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import config
from gateway.config.settings import PROGRAMS, Settings
from gateway.keyholder.keys import PASSPHRASE_CREDENTIAL
from tests.docs.sources import ROOT
from tests.docs.test_security import key_files

DEPLOY = ROOT / "deploy"
OWN: dict[str, set[str]] = {
    "keyholder": {"vault.key", "authority.key"},
    "authenticator": {"session.key", "authenticator.key"},
    "submission": {"deposit.key", "return-path.key"},
    "mx": {"deposit.key", "return-path.key"},
    "fax": {"deposit.key"},
    "guard": set(),
    "notifier": {"address.key", "return-path.key"},
    "portal": {"deposit.key"},
}
NO_NETWORK = {"keyholder", "authenticator", "guard"}


def test_every_program_has_a_unit_and_the_target_wants_them_all() -> None:
    assert {path.stem.removeprefix("gateway-") for path in DEPLOY.glob("*.service")} == set(PROGRAMS) == set(OWN)
    wanted = {unit for line in directives(DEPLOY / "gateway.target", "Wants") for unit in line.split()}
    assert wanted == {f"gateway-{name}.service" for name in PROGRAMS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_unit_runs_its_program_as_an_ordinary_user(name: str) -> None:
    (command,) = directives(unit(name), "ExecStart")
    assert command.split()[1:] == ["run", "--config", "/etc/gateway/gateway.toml", name]
    assert directives(unit(name), "User") == ["gateway"]
    assert directives(unit(name), "NoNewPrivileges") == ["yes"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_unit_hides_every_key_but_its_programs_own(name: str) -> None:
    secret = {one for one in key_files() if one.endswith(".key")}
    assert hidden(name) & {f"{settings().keys.folder}/{one}" for one in secret} == {
        f"{settings().keys.folder}/{one}" for one in secret - OWN[name]
    }


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_key_that_signs_full_copies_is_the_portals_alone(name: str) -> None:
    folder = str(settings().full_copies.keys.openpgp.parent)
    assert (folder in hidden(name)) == (name != "portal")


@pytest.mark.parametrize("name", PROGRAMS)
def test_only_the_keyholder_sees_its_store_and_only_who_asks_it_its_socket(name: str) -> None:
    store = settings().keyholder.store_url.removeprefix("sqlite:///")
    assert (str(Path(store).parent) in hidden(name)) == (name != "keyholder")
    assert (str(settings().keyholder.socket.parent) in hidden(name)) == (name not in {"keyholder", "portal"})
    assert (str(settings().keyholder.guard_socket.parent) in hidden(name)) == (name not in {"keyholder", "guard"})
    assert settings().keyholder.operator_socket.parent == settings().keyholder.socket.parent


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_passphrase_is_handed_to_the_keyholder_and_no_other(name: str) -> None:
    assert settings().keys.passphrase_file is None
    given = [f"{PASSPHRASE_CREDENTIAL}:/etc/gateway-passphrase"] if name == "keyholder" else []
    assert directives(unit(name), "LoadCredential") == given


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_with_secrets_have_no_network(name: str) -> None:
    assert (directives(unit(name), "PrivateNetwork") == ["yes"]) == (name in NO_NETWORK)
    families = set(directives(unit(name), "RestrictAddressFamilies")[0].split())
    assert families == ({"AF_UNIX"} if name in NO_NETWORK else {"AF_UNIX", "AF_INET", "AF_INET6"})


def settings() -> Settings:
    return config.load(DEPLOY / "gateway.toml")


def unit(name: str) -> Path:
    return DEPLOY / f"gateway-{name}.service"


def directives(path: Path, name: str) -> list[str]:
    lines = path.read_text("utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def hidden(name: str) -> set[str]:
    return {path.lstrip("-") for line in directives(unit(name), "InaccessiblePaths") for path in line.split()}


@pytest.mark.parametrize("name", ["mx", "fax", "guard", "portal"])
def test_the_unit_of_a_program_with_children_leaves_them_their_locks(name: str) -> None:
    allowed = {word for line in directives(unit(name), "SystemCallFilter") for word in line.split()}
    assert {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp"} <= allowed
    assert "memfd_create" in allowed
