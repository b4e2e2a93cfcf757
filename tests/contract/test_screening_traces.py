"""Nothing of a mail is anywhere after a look that went wrong; and what is safe to load is all that is loaded."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import maillog
from gateway.domain.verdict import Outcome
from gateway.screening import landlock, seccomp
from gateway.screening.chunk import Limits
from gateway.screening.pool import Patience, Pool, Sizes
from gateway.screening.protocol import Orders
from tests.canary import new_canary, search, search_octets, word_of

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, str(ROOT / "tests" / "sandbox_template.py"))
QUICK = Limits(seconds=1)

if not (landlock.version() and seccomp.is_present()):
    pytest.skip("needs a kernel with Landlock and seccomp", allow_module_level=True)


def test_the_program_that_asks_loads_no_parser() -> None:
    words = "import sys, gateway.screening.pool; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.split()
    assert not {"PIL", "tesserocr", "pypdfium2", "lxml", "py7zr", "olefile", "zxingcpp"} & {*loaded}
    assert not [name for name in loaded if name.startswith("gateway.screening.extraction")]


@pytest.mark.parametrize("misdeed", ["crash", "abort", "hog", "bug", "sleep", "say nonsense"])
def test_nothing_of_a_mail_is_left_anywhere(misdeed: str, tmp_path: Path) -> None:
    canary = new_canary()
    mail = f"{misdeed}\r\nSubject: {word_of(canary)}\r\n\r\n{word_of(canary)} {canary.hex()}\r\n"
    script = f"import tests.contract.test_screening_traces as here; here.look_with_a_full_log({COMMAND})"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        input=mail.encode(),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"screening" in ran.stderr or misdeed == "hog"
    assert search_octets(canary, ran.stdout + ran.stderr) == []
    assert list(tmp_path.iterdir()) == []


def look_with_a_full_log(command: tuple[str, ...]) -> None:
    """Look into the mail on standard input, logging everything, where a core file would be allowed."""

    async def look() -> None:
        pool = Pool(Orders(limits=QUICK), Sizes(1, 1), Patience(child=60.0, answer=3.0), command=command)
        await pool.start()
        try:
            found = await pool.look(sys.stdin.buffer.read(), last=True)
        finally:
            await pool.close()
        assert found.verdict.outcome is not Outcome.CLEAN

    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    maillog.configure("test", stream=sys.stderr, level="debug", json=True)
    asyncio.run(look())


def test_the_search_would_find_a_mail_that_is_left(tmp_path: Path) -> None:
    canary = new_canary()
    (tmp_path / "core").write_bytes(b"...Subject: " + word_of(canary).encode() + b"...")
    assert search(canary, tmp_path)
