from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version

from aiosmtpd.smtp import SMTP

from gateway.inbound.listener.conversation import VERBS, Conversation
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.state import ListenerSettings, ListenerState
from gateway.inbound.listener.wire import PRIVATE_NAMES, silence_aiosmtpd


def make() -> Conversation:
    limits = DoorLimits()
    settings = ListenerSettings("test", "gw.test", None, implicit_tls=False, require_auth=False, limits=limits)
    return Conversation(object(), settings, ListenerState(Occupancy(limits)))  # type: ignore[arg-type]


def test_aiosmtpd_is_the_one_that_was_read() -> None:
    assert version("aiosmtpd") == "1.4.6"


async def test_every_private_name_that_is_touched_is_still_there() -> None:
    smtp = SMTP(None, loop=asyncio.get_running_loop())
    made_by_connection = {"_reader"}
    missing = [name for name in PRIVATE_NAMES if name not in made_by_connection and not hasattr(smtp, name)]
    assert not missing
    assert made_by_connection <= set(SMTP._cb_client_connected.__code__.co_names)


async def test_no_hook_and_no_method_is_found_by_reflection() -> None:
    wire = make()
    assert wire._handle_hooks == {}
    assert wire._smtp_methods == {}
    assert wire._auth_methods == {}


def test_the_list_of_commands_is_the_whole_list() -> None:
    spelled = {verb.decode() for verb in VERBS}
    assert spelled == set(
        "HELO EHLO STARTTLS AUTH XCLIENT XFORWARD MAIL RCPT DATA BDAT RSET NOOP HELP VRFY EXPN QUIT".split()
    )
    assert len(set(VERBS.values())) == len(VERBS)


def test_aiosmtpd_says_nothing_in_any_log() -> None:
    logger = logging.getLogger("mail.log")
    heard: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = heard.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        silence_aiosmtpd()
        logger.setLevel(logging.DEBUG)
        logger.disabled = False  # as a careless logging configuration would
        logger.warning("unrecognised: %s", "SECRET")
        logger.debug("DATA readline: %s", b"SECRET")
    finally:
        logger.removeHandler(handler)
        silence_aiosmtpd()
    assert heard == []
