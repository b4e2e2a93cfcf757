"""Any commands in any order: the real listener stays in the protocol's states, which a small model keeps beside it."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from ipaddress import ip_network

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.inbound.listener import DoorLimits
from tests.dialogs.house import Client, House, open_house

LIMITS = DoorLimits(
    recipients=3, junk_commands=1000, soft_errors=1000, hard_errors=1000, auth_failures=1000, guess_seconds=0.001
)
RIGHT, WRONG = "AGpvZQByaWdodA==", "AGpvZQB3cm9uZw=="


class States(RuleBasedStateMachine):
    """One connection. `greeted` is what the peer said last; `recipients` is None outside a message."""

    server: ssl.SSLContext
    trust: ssl.SSLContext

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.has_tls = False
        self.deposits = 0
        self.forget_session()

    def forget_session(self) -> None:
        self.greeted = ""
        self.signed_in = False
        self.forget_message()

    def forget_message(self) -> None:
        self.recipients: int | None = None
        self.chunked = False

    @initialize(kind=st.sampled_from(["plain", "starttls", "tls"]), listed=st.booleans())
    def connect(self, kind: str, listed: bool) -> None:
        self.kind, self.listed = kind, listed
        self.has_tls = kind == "tls"
        self.runner.run(self._connect())

    async def _connect(self) -> None:
        self.house: House = await self.stack.enter_async_context(
            open_house(
                None if self.kind == "plain" else self.server,
                self.trust,
                implicit_tls=self.kind == "tls",
                require_auth=self.kind != "plain",
                limits=LIMITS,
                speakers=(ip_network("127.0.0.1/32"),) if self.listed else (),
            )
        )
        self.client: Client = await self.house.connect(tls=self.has_tls)
        assert await self.client.line() == "220 gw.test ESMTP"

    def ask(self, command: str) -> str:
        return self.runner.run(self.client.ask(command))[:9].rstrip()

    @property
    def awaits_tls(self) -> bool:
        return self.kind != "plain" and not self.has_tls

    def expect(self, command: str, codes: str, *, before_tls: bool = False) -> bool:
        """Say a command and hear these codes, unless TLS must come first. Returns whether it was done."""
        if self.awaits_tls and not before_tls:
            assert self.ask(command) == "530 5.7.0"
            return False
        assert self.ask(command).startswith(codes), command
        return codes[0] in "23"

    @rule(name=st.sampled_from(["EHLO", "ehlo"]))
    def ehlo(self, name: str) -> None:
        self.expect(f"{name} client.test", "250 HELP", before_tls=True)
        self.greeted = "EHLO"
        self.forget_message()

    @rule()
    def helo(self) -> None:
        if self.expect("HELO client.test", "250 gw.te"):
            self.greeted = "HELO"
            self.forget_message()

    @rule()
    def rset(self) -> None:
        if self.expect("RSET", "250 2.0.0"):
            self.forget_message()

    @rule(
        command=st.sampled_from(
            ["NOOP", "noop x", "HELP", "VRFY a", "EXPN a", "FOO", "DATA x", "RSET x", "MAIL FROM:<a"]
        )
    )
    def change_nothing(self, command: str) -> None:
        assert self.ask(command)[:3] in {"250", "214", "252", "500", "501", "502", "503", "530", "553", "554"}

    @rule()
    def xclient(self) -> None:
        if not self.listed:
            self.expect("XCLIENT ADDR=198.51.100.7", "550 5.7.0")
        elif self.recipients is not None:
            self.expect("XCLIENT ADDR=198.51.100.7", "503 5.5.1")
        elif self.expect("XCLIENT ADDR=198.51.100.7", "220 gw.te"):
            self.forget_session()

    @rule()
    def xforward(self) -> None:
        codes = "550 5.7.0" if not self.listed else "250 2.0.0" if self.recipients is None else "503 5.5.1"
        self.expect("XFORWARD IDENT=4fXyZ", codes)

    @rule()
    def starttls(self) -> None:
        if self.kind == "plain":
            self.expect("STARTTLS", "454 4.7.0", before_tls=True)
        elif self.has_tls:
            self.expect("STARTTLS", "503 5.5.1")
        else:
            self.expect("STARTTLS", "220 2.0.0", before_tls=True)
            self.runner.run(self.client.start_tls())
            self.has_tls = True
            self.forget_session()

    @rule(right=st.booleans())
    def auth(self, right: bool) -> None:
        if self.kind == "plain" or self.greeted != "EHLO" or self.signed_in:
            self.expect(f"AUTH PLAIN {RIGHT}", "503 5.5.1")
        elif right:
            self.signed_in = self.expect(f"AUTH PLAIN {RIGHT}", "235 2.7.0")
        else:
            self.expect(f"AUTH PLAIN {WRONG}", "535 5.7.8")

    @rule(null=st.booleans())
    def mail(self, null: bool) -> None:
        command = "MAIL FROM:<>" if null else "MAIL FROM:<joe@b.test>"
        if not self.greeted:
            self.expect(command, "503 5.5.1")
        elif self.kind != "plain" and not self.signed_in:
            self.expect(command, "530 5.7.0")
        elif self.recipients is not None:
            self.expect(command, "503 5.5.1")
        elif self.expect(command, "250 2.1.0"):
            self.recipients = 0

    @rule(forbidden=st.booleans())
    def rcpt(self, forbidden: bool) -> None:
        command = "RCPT TO:<forbidden-at-rcpt@gw.test>" if forbidden else "RCPT TO:<sm@gw.test>"
        if self.recipients is None or self.chunked:
            self.expect(command, "503 5.5.1")
        elif self.recipients == LIMITS.recipients:
            self.expect(command, "452 4.5.3")
        elif forbidden:
            self.expect(command, "550 5.7.1")
        elif self.expect(command, "250 2.1.5"):
            self.recipients += 1

    @rule(whole=st.booleans())
    def data(self, whole: bool) -> None:
        if self.recipients is None or self.chunked:
            self.expect("DATA", "503 5.5.1")
        elif not self.recipients:
            self.expect("DATA", "554 5.5.1")
        elif self.expect("DATA", "354 send"):
            self._finish("a\r\nQUIT\r\n..\r\n." if whole else "a\rb\r\n.", is_clean=whole)

    @rule(last=st.booleans(), size=st.sampled_from([0, 6]))
    def bdat(self, last: bool, size: int) -> None:
        command = f"BDAT {size}{' LAST' * last}" + "\r\nQUIT" * (size // 6)
        if self.awaits_tls:
            self.expect(command, "530 5.7.0", before_tls=True)
        elif self.recipients is None:
            self.expect(command, "503 5.5.1")
        elif not self.recipients:
            self.expect(command, "554 5.5.1")
        elif last:
            self._finish(command, is_clean=True)
        else:
            self.expect(command, "250 2.0.0")
            self.chunked = True

    def _finish(self, text: str, *, is_clean: bool) -> None:
        assert self.ask(text) == ("250 2.6.0" if is_clean else "550 5.6.0")
        self.deposits += is_clean
        self.forget_message()

    @precondition(lambda self: self.recipients)
    @rule()
    def leave_and_come_back(self) -> None:
        """A peer that leaves within a message leaves nothing behind."""
        self.runner.run(self._leave())
        self.has_tls = self.kind == "tls"
        self.forget_session()
        self.runner.run(self._return())

    async def _leave(self) -> None:
        await self.client.close()
        await self.house.settle()

    async def _return(self) -> None:
        self.client = await self.house.connect(tls=self.has_tls)
        assert (await self.client.line()).startswith("220 ")

    @invariant()
    def the_door_has_heard_the_same(self) -> None:
        if hasattr(self, "house"):
            assert self.house.door.violations == []
            assert self.house.door.open == (self.recipients is not None)
            assert len(self.house.door.deposits) == self.deposits

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.runner.run(self._end())
        self.runner.close()

    async def _end(self) -> None:
        assert await self.client.ask("QUIT") == "221 2.0.0 bye"
        await self.client.close()
        await self.stack.aclose()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_commands_in_any_order_keep_to_the_states_of_the_protocol(
    server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    States.server, States.trust = server, trust
    run_state_machine_as_test(
        States,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
