"""What tests look at when they count the mails of a folder: each mail once, wherever it is under way just now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dovecot import Dovecot


@pytest.fixture
def server(tmp_path: Path) -> Dovecot:
    for folder in ("Maildir", "Maildir/.Filed"):
        for name in ("cur", "new"):
            (tmp_path / folder / name).mkdir(parents=True)
    return Dovecot(tmp_path)


def put(server: Dovecot, *names: str) -> None:
    for name in names:
        (server.folder / "Maildir" / name).touch()


def test_a_mail_that_goes_over_from_new_to_cur_counts_once(server: Dovecot) -> None:
    put(server, "new/1.here", "cur/1.here:2,", "cur/2.here:2,S", ".Filed/cur/3.here:2,")
    assert (server.count(), server.count("Filed"), server.count("Done")) == (2, 1, 0)
    assert server.holds(INBOX=2, Filed=1)
    assert not server.holds(INBOX=2, Filed=0)


def test_a_deleted_mail_does_not_count(server: Dovecot) -> None:
    put(server, "new/1.here", "cur/1.here:2,T", "cur/2.here:2,ST", "cur/3.here:2,")
    assert server.count() == 1
