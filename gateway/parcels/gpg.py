"""How gpg is run here, whatever for: by pipes, for so long at most, without a network, an agent or files of a user's.

The one module that uses python-gnupg. What it knows of a keyring is the folder it is given; `public_keys` makes one for
a single run, in a folder of its own that nobody else reads, with public keys in it and nothing else.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from threading import Timer
from typing import Any, Final

import gnupg

PROGRAM: Final = "gpg"
SECONDS: Final = 60.0
"""How long one run may take; then it is ended, and has failed."""
MOST_MEMORY: Final = 1024**3
"""How many octets of memory one run may have: packets may be compressed, and be far more than came in."""
BUFFER_OCTETS: Final = 64 * 1024
FINGERPRINT: Final = re.compile(r"[0-9A-F]{40,64}\Z")
GONE: Final = ("r", "e", "i", "n", "d")
"""What stands in the place of a trust where a key or a user id is of no use: revoked, expired, invalid, disabled."""
_USER_ID: Final = re.compile(r"(?:(?P<name>[^<>]*)<)?(?P<address>[^\s<>()@]+@[^\s<>()@]+)>?\Z")
_OPTIONS: Final = (
    "--no-options",
    "--trust-model=always",
    "--lock-never",
    "--no-autostart",
    "--no-auto-key-retrieve",
    "--no-auto-check-trustdb",
    "--ignore-time-conflict",
)


def is_installed() -> bool:
    """Tell whether there is a gpg."""
    return shutil.which(PROGRAM) is not None


def gpg_in(home: Path, at: datetime, seconds: float = SECONDS) -> Any:
    """Return a gpg that works with the keyring in `home` and judges keys as of an instant; each run has some `seconds`.

    Its calls raise OSError or ValueError where gpg does not start.
    """
    gpg = _Bounded(
        gpgbinary=PROGRAM,
        gnupghome=str(home),
        options=[*_OPTIONS, f"--faked-system-time={int(at.timestamp())}"],
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )
    gpg.buffer_size = BUFFER_OCTETS
    gpg.seconds = seconds
    return gpg


@contextmanager
def public_keys(octets: bytes = b"") -> Iterator[Path]:
    """Give a folder (mode 0700) with a keyring of these public keys, packets without armour; afterwards it is gone."""
    with tempfile.TemporaryDirectory(prefix="public-keys-") as made:
        home = Path(made)
        if octets:
            (home / "pubring.gpg").write_bytes(octets)
        yield home


def user_named(written: str) -> tuple[str, str] | None:
    """Return name and address of a user id as python-gnupg gives it, or None where it has no one address."""
    user = _USER_ID.match(written.encode("latin-1", "replace").decode("utf-8", "replace").strip())
    return None if user is None else (user["name"] or "", user["address"])


class _Bounded(gnupg.GPG):  # type: ignore[misc]
    """A gpg that is ended when its time is over, and has so much memory at most."""

    seconds = SECONDS

    def _open_subprocess(self, args: list[str], passphrase: bool = False) -> Popen[bytes]:  # noqa: FBT002 - its signature
        process: Popen[bytes] = super()._open_subprocess(args, passphrase)
        with suppress(OSError):  # it has ended, or nobody may set this here
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        timer = Timer(self.seconds, process.kill)
        timer.daemon = True
        timer.start()
        wait = process.wait

        def waited(timeout: float | None = None) -> int:
            try:
                return wait(timeout)
            finally:
                timer.cancel()

        process.wait = waited  # type: ignore[method-assign]
        return process
