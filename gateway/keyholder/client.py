"""How other programs ask the keyholder. Every call raises KeyholderUnavailable when it is away, or its own refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.domain.errors import KeyholderUnavailable
from gateway.domain.guard import Unlooked
from gateway.domain.proof import Binding, Ending, Linking
from gateway.domain.session import SessionStatement
from gateway.frames import FrameClient, encode
from gateway.keyholder.protocol import LookGrant, OpenGrant, SummaryGrant


class KeyholderClient:
    """The portal's way to the keyholder. A token is what `gateway.domain.session.session_id` is made from."""

    def __init__(self, path: Path) -> None:
        self._client = FrameClient(path, away=KeyholderUnavailable)

    async def hello(self) -> dict[str, Any]:
        """Return what the keyholder says of itself; it answers, so it is there."""
        return await self._client.ask("hello")

    async def admit(self, statement: SessionStatement, signature: bytes) -> None:
        """Open the session that the authenticator has signed. Raises NotAuthenticated."""
        await self._client.ask("admit", statement=asdict(statement), signature=encode(signature))

    async def touch(self, token: bytes) -> None:
        """Note that a session is in use. Raises NotAuthenticated when it has ended."""
        await self._client.ask("touch", token=encode(token))

    async def end_session(self, token: bytes) -> None:
        """End a session; nothing happens when it has ended already."""
        await self._client.ask("end_session", token=encode(token))

    async def bind(self, bindings: Sequence[tuple[Binding, bytes]]) -> None:
        """Make the first credentials that the authenticator has signed, together. Raises NotAuthenticated."""
        stated = [{"binding": asdict(one), "signature": encode(signature)} for one, signature in bindings]
        await self._client.ask("bind", bindings=stated)

    async def link(self, token: bytes, linking: Linking, signature: bytes) -> None:
        """Link an account that was proved to the person of a live session. Raises NotAuthenticated, Malformed."""
        await self._client.ask("link", token=encode(token), linking=asdict(linking), signature=encode(signature))

    async def end_stated(self, ending: Ending, signature: bytes) -> None:
        """End the sessions that the authenticator has signed for. Raises NotAuthenticated."""
        await self._client.ask("end_stated", ending=asdict(ending), signature=encode(signature))

    async def list(
        self, token: bytes, case_id: str, before: tuple[int, str] | None = None, limit: int = 100
    ) -> tuple[SummaryGrant, ...]:
        """Return summary keys of a case's messages, newest first, older than `before` (received_us, id).

        Raises NotAuthenticated, NotAllowed, RateExceeded.
        """
        answer = await self._client.ask(
            "list", token=encode(token), case=case_id, before=list(before) if before else None, limit=limit
        )
        return tuple(SummaryGrant.from_frame(one) for one in answer["grants"])

    async def open(self, token: bytes, message_id: str, part: str | None = None) -> OpenGrant:
        """Open one message: the body of a received one, one part of a composed one (its text when `part` is None).

        Raises NotAuthenticated, NotAllowed, RateExceeded.
        """
        return OpenGrant.from_frame(await self._client.ask("open", token=encode(token), message=message_id, part=part))

    async def file(self, token: bytes, message_id: str, case_id: str) -> None:
        """Move a message from the intake tray into a case. Raises NotAuthenticated, NotAllowed."""
        await self._client.ask("file", token=encode(token), message=message_id, case=case_id)

    async def enact(self, token: bytes, verb: str, **arguments: Any) -> dict[str, Any]:
        """Do a verb of `gateway.casework.administration` under a live session. Raises NotAllowed, Malformed."""
        return await self._client.ask("enact", token=encode(token), enact=verb, arguments=arguments)

    async def paper_open(self, token: bytes, paper: str) -> dict[str, str]:
        """Return the sealed fields of a paper (by id, or an agreement's reference for its form). One entry.

        This and what follows raise NotAuthenticated, NotAllowed for what is not there or not theirs, RateExceeded.
        """
        return dict((await self._client.ask("paper_open", token=encode(token), paper=paper))["fields"])

    async def paper_find(self, token: bytes, value: str) -> Sequence[str]:
        """Return the references of agreements with a sealed field of this value. One entry, without the value."""
        return [
            str(one) for one in (await self._client.ask("paper_find", token=encode(token), value=value))["agreements"]
        ]

    async def paper_look(self, token: bytes, item: str) -> OpenGrant:
        """Open a document: an item that waits in the tray, or one that shows a paper. One entry."""
        return OpenGrant.from_frame(await self._client.ask("paper_look", token=encode(token), item=item))

    async def paper_link(self, token: bytes, paper: str, item: str) -> None:
        """Link an item of the tray to a paper. Raises Malformed where it does not wait."""
        await self._client.ask("paper_link", token=encode(token), paper=paper, item=item)

    async def paper_unlink(self, token: bytes, item: str, paper: str = "") -> None:
        """Take a document from a paper, the one that it shows where none is named; back into its tray where it shows
        no other. Raises Malformed where it shows none.
        """
        await self._client.ask("paper_unlink", token=encode(token), item=item, paper=paper)

    async def intake_summaries(self, token: bytes, message_ids: Sequence[str]) -> tuple[SummaryGrant, ...]:
        """Return summary keys of those items of the intake tray that are theirs to work on, at most 100 a call."""
        answer = await self._client.ask("intake_list", token=encode(token), messages=[*message_ids])
        return tuple(SummaryGrant.from_frame(one) for one in answer["grants"])

    async def intake_undo(self, token: bytes, item: str) -> str:
        """Undo the latest act on an item; return which it was. Raises Malformed when its ten minutes are over."""
        return str((await self._client.ask("intake_undo", token=encode(token), item=item))["act"])

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.close()


class GuardClient:
    """The program guard's way to the keyholder, by a socket of its own."""

    def __init__(self, path: Path) -> None:
        self._client = FrameClient(path, away=KeyholderUnavailable)

    async def hello(self) -> dict[str, Any]:
        """Return what the keyholder says of itself."""
        return await self._client.ask("hello")

    async def guard_open(self, message_id: str) -> LookGrant:
        """Open a message that waits for the guard's look. Raises NotAllowed where it does not (any more)."""
        return LookGrant.from_frame(await self._client.ask("guard_open", message=message_id))

    async def guard_settle(self, message_id: str, numbers: bytes, *, partly: bool) -> None:
        """Hand on the sealed numbers of a message, so that it is released, or its author asked.

        Raises NotAllowed where it waits no more, Malformed where they do not open: then it is looked at once more.
        """
        await self._client.ask("guard_settle", message=message_id, numbers=encode(numbers), partly=partly)

    async def guard_pass(self, message_id: str, why: Unlooked) -> None:
        """Let a message pass that cannot be looked at, with an entry that says so."""
        await self._client.ask("guard_settle", message=message_id, unlooked=why.value)

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.close()


class OperatorClient:
    """The way of a local operator, by the socket that only the keyholder's own user and root are answered on."""

    def __init__(self, path: Path) -> None:
        self._client = FrameClient(path, away=KeyholderUnavailable)

    async def hello(self) -> dict[str, Any]:
        """Return what the keyholder says of itself."""
        return await self._client.ask("hello")

    async def enact(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Do a verb of `gateway.casework.administration` as the operator. Raises NotAllowed, Malformed."""
        return await self._client.ask("enact", enact=verb, arguments=arguments)

    async def decide_identity(self, review: str, *, accept: bool) -> dict[str, Any]:
        """Make or refuse a link that waits for a decision. Raises NotAllowed when it does not, NotAuthenticated."""
        return await self._client.ask("decide_identity", review=review, accept=accept)

    async def paper_open(self, paper: str) -> dict[str, str]:
        """Return the sealed fields of a paper (by id, or an agreement's reference for its form). One entry.

        Raises NotAllowed for what is not there.
        """
        return dict((await self._client.ask("paper_open", paper=paper))["fields"])

    async def paper_find(self, value: str) -> list[str]:
        """Return the references of agreements with a sealed field of this value. One entry, without the value."""
        return list((await self._client.ask("paper_find", value=value))["agreements"])

    async def paper_link(self, paper: str, item: str) -> None:
        """Link an item of the intake tray to a paper. Raises NotAllowed, Malformed where it does not wait."""
        await self._client.ask("paper_link", paper=paper, item=item)

    async def intake_summaries(self, message_ids: Sequence[str]) -> tuple[SummaryGrant, ...]:
        """Return summary keys of items of the intake tray, at most 100 a call. One entry."""
        answer = await self._client.ask("intake_list", messages=list(message_ids))
        return tuple(SummaryGrant.from_frame(one) for one in answer["grants"])

    async def intake_open(self, item: str) -> OpenGrant:
        """Open one item of the intake tray, with an entry. Raises NotAllowed for one that is filed or not there."""
        return OpenGrant.from_frame(await self._client.ask("intake_open", item=item))

    async def intake_file(self, item: str, case: str) -> dict[str, Any]:
        """Move an item into a case: its `reference` there, how many are `told`, if it was `repeated`.

        Raises NotAllowed for what is not there, Malformed for what is filed elsewhere or discarded.
        """
        return await self._client.ask("intake_file", item=item, case=case)

    async def intake_put_back(self, item: str) -> bool:
        """Put a filed or discarded item back into its tray; False when it waits there. Raises NotAllowed."""
        return bool((await self._client.ask("intake_put_back", item=item))["done"])

    async def intake_undo(self, item: str) -> str:
        """Undo the latest act on an item; return which it was. Raises Malformed when its ten minutes are over."""
        return str((await self._client.ask("intake_undo", item=item))["act"])

    async def intake_discard(self, item: str) -> bool:
        """Hide an item from its tray; False when it was hidden. Raises NotAllowed, Malformed for a filed one."""
        return bool((await self._client.ask("intake_discard", item=item))["done"])

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.close()
