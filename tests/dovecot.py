"""A real Dovecot for tests: IMAP over TLS on a port of its own, mail put straight into one Maildir."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.relay import Certificate

USER, PASSWORD = "faxline", "a\\quiet-word"
WITHOUT_EXTENSIONS = "IMAP4rev1 LITERAL+"
"""What a server of old can do: no MOVE, no UIDPLUS, no IDLE."""

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
mail_location = maildir:{folder}/Maildir
mail_max_userip_connections = 50
auth_mechanisms = plain login
{capability}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
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


class Dovecot:
    """One server with the mailbox of the fax line."""

    def __init__(self, folder: Path, capability: str = "") -> None:
        self.folder = folder
        self.certificate = Certificate(folder)
        self.port = free_port()
        self._capability = f"imap_capability = {capability}" if capability else ""
        self._process: subprocess.Popen[bytes] | None = None
        self._delivered = 0

    def start(self) -> None:
        """Begin to serve."""
        (self.folder / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                folder=self.folder, certificate=self.certificate.path, key=self.certificate.key_path, port=self.port,
                password=PASSWORD, capability=self._capability,
            )
        )  # fmt: skip
        for name in ("", "cur", "new", "tmp"):
            (self.folder / "Maildir" / name).mkdir(exist_ok=True)
        if not (self.folder / "run").exists():  # later on all is the server's own, and moves
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")
        self._process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf"])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it, and every connection with it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def deliver(self, mail: bytes, mailbox: str = "") -> None:
        """Put a mail into the mailbox, or a folder, as a delivery agent does: whole, by a rename."""
        self._delivered += 1
        name = f"{time.time_ns()}.M{self._delivered}P{os.getpid()}.here"
        place = self.folder / "Maildir" / "tmp" / name
        place.write_bytes(mail.replace(b"\r\n", b"\n"))
        shutil.chown(place, "nobody", "nogroup")
        place.rename(self.folder / "Maildir" / mailbox / "new" / name)

    def count(self, mailbox: str = "INBOX") -> int:
        """How many mails lie in a folder, deleted ones not counted. Each is `new` before it is `cur`, and counts once
        though it should go over while we look.
        """
        folder = self.folder / "Maildir" / ("" if mailbox == "INBOX" else f".{mailbox}")
        found = [path.name.partition(":2,") for name in ("new", "cur") for path in (folder / name).glob("*")]
        return len({name for name, _, _ in found} - {name for name, _, marks in found if "T" in marks})

    def holds(self, **counts: int) -> bool:
        """Whether each folder holds so many mails: a mail that is moved stands in both for a moment, or in neither."""
        return all(self.count(mailbox) == count for mailbox, count in counts.items())

    def renumber(self, mailbox: str = "INBOX") -> None:
        """Give a folder another UIDVALIDITY, as a server does whose index was lost. It must not run."""
        folder = self.folder / "Maildir" / ("" if mailbox == "INBOX" else f".{mailbox}")
        (folder / "dovecot-uidlist").unlink(missing_ok=True)
        for path in folder.glob("dovecot.index*"):
            path.unlink()


@contextmanager
def serving(capability: str = "") -> Iterator[Dovecot]:
    """A Dovecot that serves. Skips where there is none, or this is not root."""
    if not Path("/usr/sbin/dovecot").exists():
        pytest.skip("needs Dovecot: make peers")
    if os.getuid() != 0:
        pytest.skip("needs root, to become another user")
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    server = Dovecot(folder, capability)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
