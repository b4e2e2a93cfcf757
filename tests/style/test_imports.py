from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.style.source import ROOT, modules, shown

# One import that breaks each contract: contract id -> (importing module, what it imports).
BREACHES = {
    "inward": ("gateway.store.tables", "gateway.casework.verbs"),
    "keyholder-clients": ("gateway.portal.pages", "gateway.keyholder.server"),
    "each-its-own": ("gateway.authenticator.server", "gateway.keyholder.server"),
    "one-opener": ("gateway.keyholder.checkpoints", "gateway.keyholder.unsealing"),
    "no-opener": ("gateway.inbound.door", "gateway.keyholder.client"),
    "identity": ("gateway.authenticator.client", "gateway.identity.passwords"),
    "screening-stores-nothing": ("gateway.screening.scan", "gateway.store.tables"),
    "notifier-sees-no-message": ("gateway.outbound.notifier", "gateway.store.messages"),
    "notifier-seals-nothing": ("gateway.outbound.dkim", "gateway.store.sealing"),
    "pure": ("gateway.domain.case", "logging"),
    "small-keyholder": ("gateway.keyholder.protocol", "email"),
}


def test_each_contract_notices_its_breach(tmp_path: Path) -> None:
    lay_tree(tmp_path)
    for contract, (importer, imported) in BREACHES.items():
        module = tmp_path.joinpath(*importer.split(".")).with_suffix(".py")
        before = module.read_text("utf-8")
        assert lint(tmp_path, contract).returncode == 0
        module.write_text(f"import {imported}\n", "utf-8")
        told = lint(tmp_path, contract)
        assert told.returncode == 1, told.stdout
        assert "BROKEN" in told.stdout
        module.write_text(before, "utf-8")


def test_gnupg_is_used_in_one_module() -> None:
    users = [shown(path) for path in modules() if "gnupg" in imported_names(path.read_text("utf-8"))]
    assert len(users) <= 1


def lay_tree(folder: Path) -> None:
    """A gateway with every module that the contracts speak of here, all of them empty."""
    names = {name for pair in BREACHES.values() for name in pair if name.startswith("gateway.")}
    names |= {f"gateway.{name}" for name in ("maillog", "failpoints", "resources", "domain.errors", "store.segments")}
    for name in names:
        module = folder.joinpath(*name.split(".")).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text("", "utf-8")
        (module.parent / "__init__.py").touch()
    style = folder / "tests" / "style"
    style.mkdir(parents=True)
    (style / "contracts.py").write_text((ROOT / "tests" / "style" / "contracts.py").read_text("utf-8"), "utf-8")
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    command = [sys.executable, "-P", "-c", code, "--no-cache", "--contract", contract]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def imported_names(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
