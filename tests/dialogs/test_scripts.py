from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.dialogs.script import SCRIPTS, read_script, run_script

ALL = sorted(SCRIPTS.glob("*.dialog"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
async def test_the_dialog_goes_as_written(path: Path, server: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    said = await run_script(read_script(path), server, trust)
    assert said, "a dialog has a reply"
    for line in said:
        assert len(line) <= 400
        assert "PRIVATE" not in line


async def test_a_dialog_that_goes_otherwise_fails(
    tmp_path: Path, server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    script = tmp_path / "wrong.dialog"
    script.write_text("S: 220 gw.test ESMTP\nC: NOOP\nS: 500 5.5.1 no\n", "utf-8")
    with pytest.raises(AssertionError, match="line 3: 250"):
        await run_script(read_script(script), server, trust)
