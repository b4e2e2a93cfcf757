from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.sweep
@pytest.mark.parametrize(("target", "seeds"), [("mail_target.py", "seeds"), ("document_target.py", "")])
def test_nothing_that_atheris_makes_is_misread(target: str, seeds: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("needs atheris: pip install atheris")
    found = tmp_path / "seeds"
    if seeds:
        shutil.copytree(HERE / seeds, found)
    else:
        found.mkdir()
    limits = ["-runs=20000", "-max_total_time=60", "-max_len=16384", "-rss_limit_mb=0"]
    command = [sys.executable, str(HERE / target), str(found), *limits]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-4_000:]
