"""The message commands of SMTP: MAIL, RCPT, DATA and BDAT (RFC 5321 section 4.1.1, RFC 3030).

What it does: streams a message into the door's transaction and gives the transaction's reply. What it holds: one block.
How it fails: a message with a fault is read to its end and refused; the final reply is written only after the
transaction's commit returned, and a commit once begun goes on to its end even when the peer has left.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.reply import SmtpReply
from gateway.failpoints import failpoint
from gateway.inbound import replies
from gateway.inbound.listener.commands import parse_chunk, parse_mail, parse_rcpt
from gateway.inbound.listener.intake import ChunkIntake, DataIntake
from gateway.inbound.listener.seam import Door, Forwarded, MailParameters, Transaction
from gateway.inbound.listener.state import ListenerSettings, ListenerState
from gateway.inbound.listener.transfer import Transfer, abandon, reply_to
from gateway.inbound.listener.wire import Hangup, Wire

_BAD_SENDER: Final = (553, "5.1.7")
_BAD_RECIPIENT: Final = (553, "5.1.3")


class Reception(Wire):
    """One peer's messages, one after the other."""

    def __init__(self, door: Door, settings: ListenerSettings, state: ListenerState) -> None:
        super().__init__(settings, state)
        self.door = door
        self._transaction: Transaction | None = None
        self._mail: MailParameters | None = None
        self._recipients = 0
        self._transfer: Transfer | None = None
        self._chunks = ChunkIntake()
        self.junk = 0
        """Commands without use since the last message."""

    @property
    def is_busy(self) -> bool:
        """True while a message is being taken or committed."""
        return self._transfer is not None or self.is_spared

    @property
    def has_transaction(self) -> bool:
        """True between MAIL and the end of its message."""
        return self._transaction is not None

    @property
    def offers_tls(self) -> bool:
        """True if STARTTLS can come next."""
        return not self._has_tls and self.settings.context is not None

    @property
    def awaits_tls(self) -> bool:
        """True if nothing but STARTTLS can come next."""
        return self.offers_tls and self.settings.tls_required

    @property
    def awaits_auth(self) -> bool:
        """True if AUTH must come before MAIL."""
        assert self.session is not None
        return self.settings.require_auth and not self.session.authenticated

    def forget(self) -> None:
        """Drop the mail transaction, if any."""
        transaction, self._transaction = self._transaction, None
        if self._transfer is not None:
            self._transfer.land()
        self._mail = self._transfer = None
        self._recipients = 0
        self.forward(None)
        if transaction is not None:
            abandon(transaction)

    def forward(self, forwarded: Forwarded | None) -> None:
        """Take what XFORWARD said of the next message; None when that has come."""
        if forwarded is not self.origin.forwarded:
            self.origin.forwarded = forwarded
            self._peer = None

    def why_unproven(self) -> SmtpReply | None:
        """Return the reply to a host that is not proven to be one of the listener's, as far as can be told now."""
        hosts = self.settings.hosts
        link = self._link if self._has_tls else None
        return None if hosts is None else hosts.why_unproven(self.origin.address, link)

    async def mail_from(self, argument: bytes) -> SmtpReply | None:
        """MAIL: begin a message."""
        assert self.session is not None
        if not self.session.host_name:
            return replies.HELO_FIRST
        if self.awaits_auth:
            return replies.AUTH_FIRST
        if self._transaction is not None:
            return replies.NESTED_MAIL
        mail = parse_mail(argument)
        if not self.session.extended_smtp and argument.rstrip(b" ")[-1:] != b">":
            return replies.NEEDS_EHLO
        if mail.size is not None and mail.size > self.limits.message_octets:
            return replies.too_large(self.limits.message_octets)
        if not self.state.occupancy.has_room(mail.size or 0):
            return replies.TOO_MUCH_AT_ONCE
        try:
            self._transaction = await self.door.begin(self.peer, self.session.auth_data, mail)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the peer gets a reply
            return reply_to(problem, "smtp.mail", malformed=_BAD_SENDER)
        self._mail, self._recipients = mail, 0
        return replies.SENDER_OK

    async def rcpt_to(self, argument: bytes) -> SmtpReply | None:
        """RCPT: add a recipient."""
        assert self.session is not None
        if self._transaction is None or self._mail is None:
            return replies.MAIL_FIRST
        if self._transfer is not None:
            return replies.CHUNKS_BEGUN
        if self._recipients >= self.limits.recipients:
            return replies.TOO_MANY_RECIPIENTS
        recipient = parse_rcpt(argument, smtputf8=self._mail.smtputf8)
        if not self.session.extended_smtp and argument.rstrip(b" ")[-1:] != b">":
            return replies.NEEDS_EHLO
        try:
            await self._transaction.add_recipient(recipient)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the peer gets a reply
            return reply_to(problem, "smtp.rcpt", malformed=_BAD_RECIPIENT)
        self._recipients += 1
        return replies.RECIPIENT_OK

    async def data(self, argument: bytes) -> SmtpReply | None:
        """DATA: take the message up to CRLF.CRLF."""
        if argument.strip(b" "):
            return replies.NO_ARGUMENT
        transaction = self._transaction
        if transaction is None:
            return replies.MAIL_FIRST
        if self._transfer is not None:
            return replies.CHUNKS_BEGUN
        if not self._recipients:
            return replies.LMTP_RCPT_FIRST if self.settings.is_lmtp else replies.RCPT_FIRST
        transfer = self._start(transaction)
        self.say(replies.GO_AHEAD)
        intake = DataIntake()
        while intake.rest is None:
            octets = intake.feed(await self._read_block(transfer))
            transfer.write(octets, is_clean=intake.is_clean)
            await transfer.drain()
        if intake.rest:
            self.inbox.unread(intake.rest)
        await self._finish(transaction, transfer)
        return None

    async def bdat(self, argument: bytes) -> SmtpReply | None:
        """BDAT (RFC 3030): take a chunk, and with LAST the end of the message."""
        try:
            size, is_last = parse_chunk(argument)
        except replies.BadCommand:  # where the chunk ends, and the next command begins, nobody knows
            raise Hangup(replies.BAD_CHUNK, "syntax") from None
        transaction = self._transaction
        refusal = self._why_no_chunk()
        if transaction is None or refusal is not None:
            return await self._discard(size, refusal or replies.CHUNK_DISCARDED)
        transfer = self._transfer or self._start(transaction)
        if transfer.octets + size > self.limits.message_octets:
            self.forget()
            return await self._discard(size, replies.MESSAGE_TOO_LARGE)
        while size:
            block = await self._read_block(transfer, size)
            size -= len(block)
            transfer.write(self._chunks.feed(block), is_clean=self._chunks.is_clean)
            await transfer.drain()
        if is_last and not self._chunks.finish():
            transfer.fail(replies.BAD_OCTETS)
        if is_last or transfer.failure is not None:
            await self._finish(transaction, transfer)
            return None
        return replies.OK

    def _why_no_chunk(self) -> SmtpReply | None:
        if self.awaits_tls:
            return replies.TLS_FIRST
        if self._transaction is None:
            return replies.CHUNK_DISCARDED
        return None if self._recipients else replies.RCPT_FIRST

    async def _discard(self, size: int, refusal: SmtpReply) -> SmtpReply:
        """Read a chunk that is not wanted (RFC 3030), a stranger's only if it is small. Returns the refusal."""
        is_stranger = self.awaits_tls or self.awaits_auth
        if size > (self.limits.inbox_octets if is_stranger else self.limits.overrun_octets):
            raise Hangup(refusal, "limit")
        while size:
            size -= len(await self.inbox.read(size, self.limits.chunk_seconds))
        return refusal

    def _start(self, transaction: Transaction) -> Transfer:
        try:
            transaction.start()
        except BaseException:
            self.forget()
            raise
        self._chunks = ChunkIntake()
        self._transfer = Transfer(transaction, self.state.occupancy)
        return self._transfer

    async def _read_block(self, transfer: Transfer, most: int = 0) -> bytes:
        if transfer.is_far_over:
            raise Hangup(replies.MESSAGE_TOO_LARGE, "limit")
        if self.inbox.held:
            return await self.inbox.read(most)
        patience = transfer.patience
        if patience <= 0:
            raise Hangup(replies.TOO_SLOW, "deadline")
        began = self.loop.time()
        block = await self.inbox.read(most, patience)
        transfer.count_wait(self.loop.time() - began)
        return block

    async def _finish(self, transaction: Transaction, transfer: Transfer) -> None:
        """End of data: commit or refuse, then reply. What was committed is no longer ours to abandon."""
        self._transaction = None
        self._transfer = None  # its octets stay counted: a door may hold them until it has judged them
        answers = self._recipients if self.settings.is_lmtp else 1  # one for each recipient (RFC 2033 section 4.2)
        self.forget()
        try:
            reply = transfer.failure or await self._commit(transaction)
        finally:
            transfer.land()
        failpoint("smtp.reply")
        self.say(reply)
        if answers > 1:
            self.say_lines(f"{reply}\r\n" * (answers - 1))
        self.flush()
        failpoint("smtp.replied")
        if reply.code < 400:
            self.errors = self.junk = 0

    async def _commit(self, transaction: Transaction) -> SmtpReply:
        self.spare(spared=True)
        try:
            return await transaction.commit()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the peer gets a reply
            return reply_to(problem, "smtp.commit")
        finally:
            self.spare(spared=False)
