"""One message on its way from the wire into its transaction: what is kept, why it fails, how slow its peer may be."""

from __future__ import annotations

from gateway import maillog
from gateway.domain.errors import GatewayError
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.limits import Occupancy
from gateway.inbound.listener.seam import Transaction


class Transfer:
    """Writes a message into its transaction until something is wrong with it; from then on only counts its octets."""

    def __init__(self, transaction: Transaction, occupancy: Occupancy) -> None:
        self.failure: SmtpReply | None = None
        """What the peer is told at the end in place of the transaction's own reply."""
        self.octets = 0
        self._transaction = transaction
        self._occupancy = occupancy
        self._limits = occupancy.limits
        self._held = 0
        self._waited = 0.0

    def write(self, octets: bytes, *, is_clean: bool) -> None:
        """Take message octets; `is_clean` is false from the first octet on that no message may have."""
        self.octets += len(octets)
        if self.failure is not None:
            return
        if self.octets > self._limits.message_octets:
            self.fail(replies.MESSAGE_TOO_LARGE)
        elif not is_clean:
            self.fail(replies.BAD_OCTETS)
        elif not self._occupancy.has_room(len(octets)):
            self.fail(replies.TOO_MUCH_AT_ONCE)
        elif octets:
            self._held += len(octets)
            self._occupancy.hold(len(octets))
            try:
                self._transaction.write(octets)
            except Exception as problem:  # noqa: BLE001 - whatever it is, the peer must be read to the end of its message
                self.fail(reply_to(problem, "smtp.write"))

    async def drain(self) -> None:
        """Wait until the transaction wants more."""
        if self.failure is None:
            try:
                await self._transaction.drain()
            except Exception as problem:  # noqa: BLE001 - as above
                self.fail(reply_to(problem, "smtp.drain"))

    def fail(self, reply: SmtpReply) -> None:
        """Give the message up, once: nothing of it is kept."""
        if self.failure is None:
            self.failure = reply
            self.land()
            abandon(self._transaction)

    def land(self) -> None:
        """The message is no longer being taken: others have room for as much."""
        self._occupancy.release(self._held)
        self._held = 0

    @property
    def is_far_over(self) -> bool:
        """True if reading on to the end of the message is more than a peer may ask."""
        return self.octets > self._limits.message_octets + self._limits.overrun_octets

    @property
    def patience(self) -> float:
        """Seconds that the next octets may take; not above 0 when the peer has used up its time.

        Time in which we did not read is not the peer's: only waiting is counted.
        """
        allowed = self._limits.data_grace_seconds + self.octets / self._limits.data_octets_per_second
        return min(self._limits.chunk_seconds, allowed - self._waited)

    def count_wait(self, seconds: float) -> None:
        """Add to the time this peer was waited for."""
        self._waited += seconds


def abandon(transaction: Transaction) -> None:
    """Tell a transaction that it is over; what goes wrong in it then is an incident, and nobody's reply."""
    try:
        transaction.abandon()
    except Exception as problem:  # noqa: BLE001 - a transaction that cannot end must not end its neighbours
        maillog.incident("smtp.abandon", problem)


def reply_to(problem: Exception, where: str, *, malformed: tuple[int, str] | None = None) -> SmtpReply:
    """Return the reply to anything a program raised; what is no GatewayError becomes an incident in the log."""
    if isinstance(problem, GatewayError):
        reply = replies.reply_for(problem, malformed=malformed)
        maillog.refused(reply.code, reply.enhanced, type(problem).__name__)
        return reply
    return replies.incident(maillog.incident(where, problem))
