from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.sweep
def test_no_mail_that_atheris_makes_is_misread(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("needs atheris: pip install atheris")
    seeds = tmp_path / "seeds"
    shutil.copytree(HERE / "seeds", seeds)
    command = [
        sys.executable,
        str(HERE / "mail_target.py"),
        str(seeds),
        "-runs=20000",
        "-max_total_time=60",
        "-max_len=4096",
    ]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-4_000:]
