from __future__ import annotations

import inspect
import json
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from gateway import maillog

CANARY = "Q7canary secret@taxpayer.example"


@pytest.fixture(autouse=True)
def every_level() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    yield
    structlog.configure(**before)


EVENTS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (maillog.program_started, ("trial", 1), {"environment": "trial", "processes": 1}),
    (maillog.program_stopped, ("signal",), {"reason": "signal"}),
    (maillog.program_died, ("portal", -9, 2), {"name": "portal", "code": -9, "restarts": 2}),
    (maillog.listener_open, ("submission", "::1", 587), {"listener": "submission", "host": "::1", "port": 587}),
    (maillog.certificate_renewed, ("portal",), {"program": "portal"}),
    (maillog.certificate_kept, ("submission",), {"program": "submission"}),
    (maillog.relay_refused, ("mta", "network"), {"relay": "mta", "step": "network"}),
    (maillog.client_certificate_refused, (10,), {"code": 10}),
    (maillog.ended, ("read-receipt", "mta", 2), {"kind": "read-receipt", "relay": "mta", "recipients": 2}),
    (maillog.earlier_hop, (50,), {"mails": 50}),
    (maillog.let_through, (2, "4gXy"), {"findings": 2, "upstream": "4gXy"}),
    (
        maillog.discarded,
        ("R-4F7K-3M9P", "tainted", 2, "4gXy"),
        {"reference": "R-4F7K-3M9P", "verdict": "tainted", "findings": 2, "upstream": "4gXy"},
    ),
    (
        maillog.turned_away,
        ("R-4F7K-2M9P", "tainted", 2, "4gXy"),
        {"reference": "R-4F7K-2M9P", "verdict": "tainted", "findings": 2, "upstream": "4gXy"},
    ),
    (maillog.deposited, ("T-SM-7K2Q-9F4T", 812, "4fXyZ1"), {"upstream": "4fXyZ1"}),
    (maillog.parcels_made, (2, 1), {"made": 2, "without": 1}),
    (maillog.parcel_withheld, ("outboxid1", "key-gone"), {"outbox": "outboxid1", "reason": "key-gone"}),
    (maillog.swept, (3,), {"blobs": 3}),
    (maillog.taken_in, ("U-4F7K-2M9P", 812, "cases"), {"reference": "U-4F7K-2M9P", "octets": 812, "tray": "cases"}),
    (
        maillog.fax_entered,
        ("line-one", "filed", "U-4F7K-2M9P", 812),
        {"source": "line-one", "outcome": "filed", "reference": "U-4F7K-2M9P", "octets": 812},
    ),
    (
        lambda pages, sections: maillog.fax_recognised(pages, sections, complete=True),
        (4, 2),
        {"pages": 4, "sections": 2, "complete": True},
    ),
    (maillog.fax_unrecognised, (), {}),
    (maillog.fax_mailbox_open, ("line-one",), {"source": "line-one"}),
    (maillog.fax_mailbox_away, ("line-one", "deadline"), {"source": "line-one", "reason": "deadline"}),
    (maillog.fax_not_moved, ("line-one",), {"source": "line-one"}),
    (maillog.fax_source_silent, ("line-one", 30), {"source": "line-one", "hours": 30}),
    (maillog.fax_report_settled, ("0a", 2, "delivered"), {"report_id": "0a", "attempts": 2, "state": "delivered"}),
    (maillog.fax_overdue, ("line-one", 4, 80), {"source": "line-one", "waiting": 4, "hours": 80}),
    (maillog.fax_server_refused, ("router",), {"server": "router"}),
    (maillog.intake_key_missing, ("2026-11",), {"month": "2026-11"}),
    (maillog.intake_keys_destroyed, (1,), {"keys": 1}),
    (maillog.refused, (550, "5.7.1", "NotAllowed"), {"code": 550, "enhanced": "5.7.1", "reason": "NotAllowed"}),
    (maillog.deposited, ("T-SM-7K2Q-9F4T", 812), {"reference": "T-SM-7K2Q-9F4T", "octets": 812}),
    (maillog.code_sent, ("text", "sent"), {"channel": "text", "outcome": "sent"}),
    (maillog.provider_away, ("login",), {"provider": "login"}),
    (maillog.provider_told, ("login", "account-disabled"), {"provider": "login", "kind": "account-disabled"}),
    (maillog.authenticated, ("app-password", "wrong"), {"kind": "app-password", "outcome": "wrong"}),
    (maillog.withheld, ("open", "NotAllowed"), {"verb": "open", "reason": "NotAllowed"}),
    (maillog.screening_started, (7, 1, 2, 1), {"landlock": 7, "seccomp": 1, "text_children": 2, "page_children": 1}),
    (maillog.screening_failed, ("time",), {"reason": "time"}),
    (maillog.screening_fault, ("extraction/pdf.py:12", "KeyError"), {"place": "extraction/pdf.py:12"}),
    (maillog.outbox_postponed, (3,), {"rows": 3}),
    (maillog.notice_reported, ("0f", "failed", "5.1.1", "mta"), {"outbox_id": "0f", "enhanced": "5.1.1"}),
    (maillog.reports_applied, (3, 1), {"reports": 3, "late": 1}),
    (maillog.outbox_failed, ("0f", 3, 451), {"outbox_id": "0f", "attempts": 3, "code": 451}),
    (maillog.tls_report_settled, ("0f", 1, "delayed"), {"report_id": "0f", "attempts": 1, "state": "delayed"}),
    (maillog.dkim_keys_read, (2,), {"keys": 2}),
    (maillog.dkim_keys_kept, (2,), {"keys": 2}),
    (maillog.alarm, ("authority", "grant", "0f"), {"kind": "authority", "table": "grant", "row_id": "0f"}),
]


@pytest.mark.parametrize(("event", "arguments", "fields"), EVENTS, ids=lambda value: getattr(value, "__name__", ""))
def test_an_event_tells_its_fields(
    event: Callable[..., Any], arguments: tuple[Any, ...], fields: dict[str, Any]
) -> None:
    with capture_logs() as told:
        event(*arguments)
    (line,) = told
    assert fields.items() <= line.items()


@pytest.mark.parametrize("text", ["ann@example.org", "Re: your account", "Zoë", "a\nb", "x" * 101, "<b>", "a,b", '"'])
def test_text_that_is_no_id_kind_or_code_is_withheld(text: str) -> None:
    with capture_logs() as told:
        maillog.refused(550, "5.7.1", text)
    assert told[0]["reason"] == "(withheld)"


def test_no_event_takes_free_fields() -> None:
    public = [one for name, one in vars(maillog).items() if isinstance(one, types.FunctionType) and name[0] != "_"]
    assert len(public) > len(EVENTS)
    for function in public:
        kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
        assert not kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}


def test_an_incident_tells_types_and_places_and_nothing_said_or_held() -> None:
    with capture_logs() as told:
        incident_id = maillog.incident("door", failure())
    (line,) = told
    assert line["incident"] == incident_id
    assert line["kinds"] == "RuntimeError < ValueError"
    assert "unit/test_maillog.py" in line["frames"]
    assert "fail_within" in line["frames"]
    assert "canary" not in str(line)


def test_an_incident_keeps_the_id_that_the_peer_was_told() -> None:
    with capture_logs() as told:
        assert maillog.incident("door", failure(), "0badcafe") == "0badcafe"
    assert told[0]["incident"] == "0badcafe"


STORY = """
import asyncio, io, logging, sys, threading, warnings
from gateway import maillog
maillog.configure("submission", stream=sys.stderr, level="debug", json=True)
for name in ("mail.log", "aiosmtplib", "aioimaplib.aioimaplib", "uvicorn.access", "asyncio", "anything.else"):
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(logging.StreamHandler())
    logger.debug("said %s", CANARY)
    logger.info("said %s", CANARY)
    logger.warning("said %s", CANARY)
    logger.error(CANARY, extra={"held": CANARY})
    try:
        raise ValueError(CANARY)
    except ValueError:
        logger.exception("said %s", CANARY)
warnings.warn(CANARY)
def fail():
    held = CANARY
    raise RuntimeError(held)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
async def story():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)
asyncio.run(story(), debug=True)
maillog.program_stopped("fault")
fail()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    script = tmp_path_factory.mktemp("story") / "story.py"
    script.write_text(f"CANARY = {CANARY!r}\n{STORY}", "utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    assert done.returncode == 1
    return done.stderr


def test_libraries_threads_and_crashes_put_no_words_into_the_log(told: str) -> None:
    assert "canary" not in told
    assert "taxpayer" not in told


def test_what_libraries_say_is_told_by_place(told: str) -> None:
    lines = events(told)
    spoke = [line for line in lines if line["event"] == "library"]
    assert {line["logger"] for line in spoke} >= {"mail.log", "aioimaplib.aioimaplib", "asyncio", "py.warnings"}
    assert {line["level"] for line in spoke} == {"warning"}
    assert [line["where"] for line in lines if line["event"] == "incident"] == ["thread", "main"]
    assert {line["program"] for line in lines} == {"submission"}


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    script = tmp_path / "story.py"
    script.write_text(
        "from gateway import maillog\n"
        "stream = open('/dev/full', 'w', buffering=1)\n"
        "maillog.configure('portal', stream=stream)\n"
        "maillog.program_stopped('signal')\n"
        "print('still here', flush=True)\n"
        "import os; os._exit(0)\n",
        "utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "still here\n"


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def failure() -> RuntimeError:
    try:
        fail_within(CANARY)
    except RuntimeError as problem:
        return problem
    raise AssertionError


def fail_within(held: str) -> None:
    try:
        raise ValueError(held)
    except ValueError as problem:
        raise RuntimeError(held) from problem
