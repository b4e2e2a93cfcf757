from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from gateway.resources import programmes_folder, templates_folder
from tests.style.source import ROOT


def test_a_checkout_finds_its_templates_and_programmes() -> None:
    assert templates_folder() == ROOT / "templates"
    assert programmes_folder() == ROOT / "programmes"


def test_a_wheel_carries_templates_and_programmes_where_the_code_finds_them(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "site")
    assert not [name for name in names if not name.startswith(("gateway/", "secure_mail_gateway-"))]
    where = "import gateway.resources as r; print(r.templates_folder()); print(r.programmes_folder())"
    told = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path / "site", capture_output=True, check=True, text=True
    ).stdout
    assert told.split() == [str(tmp_path / "site/gateway/_data" / name) for name in ("templates", "programmes")]
    for folder in ("templates", "programmes"):
        files = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"gateway/_data/{path}" for path in files} <= set(names)
