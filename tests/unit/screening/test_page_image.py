"""What the process that draws pages cannot do once it is locked."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRIES = {
    "read a file": "open('/etc/hostname')",
    "write a file": "open('/tmp/written', 'w')",
    "open a socket": "__import__('socket').socket()",
    "make a process": "os.fork()",
    "run a program": "os.execv('/bin/true', ['true'])",
}


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES.keys())
def test_a_locked_process_is_refused(attempt: str) -> None:
    program = (
        "import os, socket, sys\n"
        "from gateway.screening.page_image import lock\n"
        "lock()\n"
        f"try:\n    {attempt}\nexcept OSError:\n    os._exit(7)\n"
        "os._exit(0)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7
