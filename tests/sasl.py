"""A real Dovecot that does nothing but tell a Postfix whose password is right."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DOVECOT = Path("/usr/sbin/dovecot")
PASSWORD = "quiet-word"
_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols =
ssl = no
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
auth_mechanisms = plain login
disable_plaintext_auth = no
service auth {{
  chroot =
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}
}}
"""


@contextmanager
def signing_in() -> Iterator[Path]:
    """Everybody's password is PASSWORD; gives the socket. Skips where there is no Dovecot, or this is not root."""
    if not DOVECOT.exists():
        pytest.skip("needs Dovecot: make peers")
    if os.getuid() != 0:
        pytest.skip("needs root, to become another user")
    folder = Path(tempfile.mkdtemp(prefix="sasl-"))
    folder.chmod(0o755)
    (folder / "dovecot.conf").write_text(_CONFIGURATION.format(folder=folder, password=PASSWORD))
    process = subprocess.Popen([DOVECOT, "-F", "-c", folder / "dovecot.conf"])
    try:
        deadline = time.monotonic() + 60
        while not (folder / "auth").is_socket() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield folder / "auth"
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
