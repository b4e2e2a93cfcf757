"""A private Postfix that accepts, syncs its queue file and HOLDs: its best accept rate, with nothing delivered.

Its own configuration and queue, so that nothing of the machine's Postfix is read or touched. It keeps no open session
waiting for a process, asks no policy, rewrites no address and does not throttle its clients.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from benchmarks.waiting import wait_for_port

_MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = peer.example
mydestination =
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
smtpd_client_restrictions = check_client_access static:HOLD, permit
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtputf8_enable = no
in_flow_delay = 0
message_size_limit = 209715200
default_process_limit = 200
maillog_file = {log}
maillog_file_prefixes = {folder}
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_DAEMONS = Path("/usr/lib/postfix/sbin")


def why_absent() -> str | None:
    """Say why no Postfix can be run here, or None."""
    if not (_DAEMONS / "master").exists():
        return "needs Postfix: make peers"
    return None if os.geteuid() == 0 else "needs root, as Postfix's master does"


class Postfix:
    """One private Postfix in `folder`, which its user must be able to enter."""

    name = "Postfix"

    def __init__(self, folder: Path, port: int, certificate: Path, key: Path) -> None:
        self.port = self.tls_port = port
        self._folder = folder
        self._configuration = folder / "conf"
        self._queue = folder / "queue"
        for path in (self._configuration, self._queue, folder / "data"):
            path.mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        self._log = folder / "mail.log"
        (self._configuration / "main.cf").write_text(
            _MAIN.format(
                queue=self._queue,
                data=folder / "data",
                daemons=_DAEMONS,
                certificate=certificate,
                key=key,
                log=self._log,
                folder=folder,
            )
        )
        (self._configuration / "master.cf").write_text(_MASTER.format(port=port))
        self._master: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the queue folders and start the master. Raises TimeoutError when it does not listen."""
        owner = pwd.getpwnam("postfix").pw_uid
        for name in "active bounce corrupt defer deferred flush hold incoming private public saved trace".split():
            (self._queue / name).mkdir(exist_ok=True)
            os.chown(self._queue / name, owner, -1)
        (self._queue / "pid").mkdir(exist_ok=True)
        self._master = subprocess.Popen(
            [_DAEMONS / "master", "-c", self._configuration, "-d"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)

    def held(self) -> list[Path]:
        """Return the queue files that are held, each a message accepted and synced."""
        return [Path(entry.path) for entry in os.scandir(self._queue / "hold")]

    def forget(self) -> None:
        """Delete what is held: each round begins with an empty queue."""
        for path in self.held():
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        """End the master and, by it, its children."""
        if self._master is not None:
            self._master.send_signal(signal.SIGTERM)
            self._master.wait()
