"""The command `gateway …` for tests that run it often: each in a process of its own, forked from one that loaded it.

Loading takes a second, most commands a twentieth. What a command may rely on is the same: its arguments, environment,
folder and three files are its own, and it ends by its exit code. Whether each command loads by itself is for
`tests/cli/test_commands.py`, which starts Python anew. Run as a program, this is the process that is forked.
"""

from __future__ import annotations

import array
import atexit
import functools
import gc
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
SECONDS = 240
LONGEST = 1 << 20
COLD = ("GATEWAY_FAILPOINT", "PYTHON", "TZ", "LC_", "LANG")
"""Variables that are read once, when a program starts: with others than ours it has to be started anew."""
OURS = dict(os.environ)  # at import: a test may set more for itself


def run(arguments: list[str], environment: Mapping[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    """Run `gateway …` and return how it ended. Raises TimeoutExpired after SECONDS."""
    if arguments[:1] in (["run"], ["init"]) or _started_by(environment) != _started_by(OURS):
        command = [sys.executable, "-m", "gateway", *arguments]
        return subprocess.run(
            command, input=given, env=dict(environment), capture_output=True, text=True, check=False, timeout=SECONDS
        )
    files = [os.memfd_create(name) for name in ("in", "out", "err")]
    try:
        os.write(files[0], given.encode())
        os.lseek(files[0], 0, os.SEEK_SET)
        code = _ask({"arguments": arguments, "environment": dict(environment), "folder": str(Path.cwd())}, files)
        out, err = (Path(f"/proc/self/fd/{one}").read_text("utf-8") for one in files[1:])
    finally:
        for one in files:
            os.close(one)
    return subprocess.CompletedProcess(["gateway", *arguments], code, out, err)


def _started_by(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(COLD)}


def _ask(wanted: Mapping[str, Any], files: list[int]) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        asking.settimeout(SECONDS)
        asking.connect(str(_server()))
        passed = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
        asking.sendmsg([json.dumps(wanted).encode()], [passed])
        try:
            return int(asking.recv(100))
        except TimeoutError:
            raise subprocess.TimeoutExpired(["gateway", *wanted["arguments"]], SECONDS) from None


@functools.cache
def _server() -> Path:
    """The socket of a process that has loaded every command; it ends with us."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    environment = {**OURS, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), OURS.get("PYTHONPATH"))))}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", str(folder / "socket")],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    ready = server.stdout.readline()
    assert ready, "the process that is forked did not start"

    @atexit.register
    def end() -> None:
        server.kill()
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)

    return folder / "socket"


# ---- the process that is forked


def serve(path: str) -> None:
    """Fork for each who asks, until standard input ends."""
    from gateway.cli.app import COMMANDS

    for place in COMMANDS.values():
        pkgutil.resolve_name(place)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(16)
        os.write(1, b"ready\n")
        while listening in select.select([listening, 0], [], [])[0]:
            asking, _ = listening.accept()
            if not os.fork():
                listening.close()
                _watch(asking)
            asking.close()


def _watch(asking: socket.socket) -> NoReturn:
    """Run one command in a child and tell its exit code; who asks and leaves ends it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    octets, passed, _, _ = asking.recvmsg(LONGEST, socket.CMSG_SPACE(12))
    files = array.array("i", passed[0][2])
    child = os.fork()
    if not child:
        asking.close()
        _become(json.loads(octets), files)
    ended = os.pidfd_open(child)
    if asking in select.select([asking, ended], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        asking.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(wanted: Mapping[str, Any], files: array.array[int]) -> NoReturn:
    """Be the command."""
    from gateway.cli import main

    for target, one in enumerate(files):
        os.dup2(one, target)
        os.close(one)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv[1:] = wanted["arguments"]
    code: object = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as an interpreter does at its end
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    serve(sys.argv[1])
