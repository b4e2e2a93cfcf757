"""16 random octets go through every path, success and failure, in every form; then every place where anything rests is
searched: none. The same story and the same search in a build whose sealing copies: each form is found.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

import pytest

from gateway.demo import search as engine
from gateway.demo.search import Hit
from tests.canary import search, search_process
from tests.canary_story import ROOT, UNSEALED_BUILD, CanaryStory
from tests.worlds import Traps, eventually

FAULTS = (
    "submission.commit=error,submission.committed=kill,smtp.reply=error,blob.write.after=error,blob.rename=eio,"
    "portal.upload_part=error,portal.reply_commit=error,outbox.claim=error,courier.final_dot=error"
)
EVERYWHERE = (
    "submission.commit", "submission.committed", "smtp.reply", "smtp.replied", "blob.write.before", "blob.write.after",
    "blob.fsync", "blob.rename", "blob.folder_fsync", "store.commit.before", "store.commit.after", "outbox.claim",
    "courier.final_dot", "outbox.settle", "portal.upload_part", "portal.reply_commit", "keyholder.open.entry",
    "keyholder.session", "authenticator.statement",
)  # fmt: skip

RESTS = (
    *(f"{tag}-{place}" for tag in ("small", "large", "bdat")
      for place in ("author", "display", "bcc", "subject", "mailer", "body", "file", "name", "gz", "wide")),
    "reply-subject", "reply-text", "reply-name", "reply-small", "reply-large", "reply-large-gzip", "reply-large-utf16",
)  # fmt: skip
"""Where what was acknowledged rests, sealed: the names that the story puts beside the canary."""

FORMS = ("word text", "hex", "base64 of octets", "octets", "word utf-16-le", "word base64", "gzip > word text")


@asynccontextmanager
async def played(folder: Path, environment: dict[str, str], traps: Traps | None = None) -> AsyncIterator[CanaryStory]:
    """Play the story, with the traps set once its people are there, and yield with everything still running."""
    story = CanaryStory(folder, environment if traps is None else traps.environment | environment)
    try:
        await story.open()
        if traps is not None:
            traps.set_all()
        await story.play()
        yield story
    finally:
        await story.world.close()


OWN_IDS = re.compile(rb"(?mi)^(?:In-Reply-To|References|Original-Message-ID):[^\n]*(?:\n[ \t][^\n]*)*")
"""Where a mail to an employee names the message that it is about: by the id that their own mail tool gave it."""


def found(story: CanaryStory, *folders: Path) -> list[Hit]:
    """Return every form of the canary there, but for the ids of their own messages in what employees are told."""
    return [hit for hit in search(story.canary, *folders) if not is_own_id(hit, story.world.people["dana"].address)]


def is_own_id(hit: Hit, author: str) -> bool:
    path = Path(hit.path)
    if path.parent.name != "outside-world" or hit.form != "word text":
        return False
    octets = path.read_bytes()
    named = any(begin <= hit.offset < end for begin, end in (one.span() for one in OWN_IDS.finditer(octets)))
    return named and parseaddr(message_from_bytes(octets)["To"])[1] == author


def open_files(pid: int) -> list[Path]:
    """Return the files a process has open, those included that have no name any more; none of one that is gone."""
    found = []
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if link.resolve().is_file() or str(link.readlink()).endswith("(deleted)"):
                    found.append(link)
    return found


async def search_everywhere(folder: Path, failpoints: str) -> None:
    cores = set(ROOT.glob("core*"))
    (folder / "once").mkdir()
    traps = Traps(folder / "once", dict(item.split("=") for item in failpoints.split(",")))
    async with played(folder, {}, traps) as story:

        async def all_have_acted() -> bool:
            return all(map(traps.has_acted, traps.names))

        await eventually("every failpoint has acted, those of the notifier too", all_have_acted)
        for pid in story.processes():
            assert search_process(story.canary, pid) == []
            for file in open_files(pid):
                with suppress(OSError):
                    assert engine.search_octets(engine.octets(story.canary), file.read_bytes(), str(file)) == []
        running = found(story, folder)
    assert running == []
    assert found(story, folder) == []
    log = story.world.log.read_text()
    assert '"level": "debug"' in log or '"level":"debug"' in log, "the log is not at debug: it proves nothing"
    assert (story.backup / "manifest.json").exists()
    assert any(story.world.folder.glob("outside-world/*.eml"))
    assert set(ROOT.glob("core*")) == cores


@pytest.mark.timeout(900)
async def test_no_octet_of_a_message_rests_anywhere_whatever_happens(short_path: Path) -> None:
    await search_everywhere(short_path, FAULTS)


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("action", ["error", "eio", "enospc", "kill"])
async def test_no_octet_of_a_message_rests_anywhere_whatever_breaks(short_path: Path, action: str) -> None:
    await search_everywhere(short_path, ",".join(f"{name}={action}" for name in EVERYWHERE))


@pytest.mark.timeout(900)
async def test_the_same_search_finds_each_form_where_sealing_is_off(short_path: Path) -> None:
    path = os.pathsep.join(filter(None, (str(UNSEALED_BUILD), os.environ.get("PYTHONPATH", ""))))
    async with played(short_path, {"PYTHONPATH": path, "GATEWAY_TEST_UNSEALED": "yes"}) as story:
        pass
    seen = {hit.form.removeprefix("folded ") for hit in search(story.canary, story.world.vault, story.backup)}
    assert [form for form in FORMS if not any(one.endswith(form) for one in seen)] == []
    places = {tag: engine.words(story.word(tag)) for tag in RESTS}
    content = [path.read_bytes() for path in story.world.vault.rglob("*") if path.is_file()]
    unseen = [tag for tag, forms in places.items() if not any(engine.search_octets(forms, one) for one in content)]
    assert unseen == []
    assert found(story, story.world.folder / "outside-world", story.world.log.parent) == []
