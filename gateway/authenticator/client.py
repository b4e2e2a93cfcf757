"""How other programs ask the authenticator. Every call raises AuthenticatorUnavailable when it is away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.authenticator.protocol import NewAppPassword, NewTotp, SignedIn
from gateway.domain.credential import Principal
from gateway.domain.errors import AuthenticatorUnavailable
from gateway.domain.session import SessionStatement
from gateway.frames import FrameClient, decode, encode, text


class AuthenticatorClient:
    """The way of the portal and of the submission door."""

    def __init__(self, path: Path) -> None:
        self._client = FrameClient(path, away=AuthenticatorUnavailable)

    async def hello(self) -> dict[str, Any]:
        """Return what the authenticator says of itself; it answers, so it is there."""
        return await self._client.ask("hello")

    async def sign_in(self, username: str, password: str, code: str, client_address: str) -> SignedIn:
        """Judge a sign-in. Raises NotAuthenticated, the same for every wrong thing, or RateExceeded."""
        answer = await self._client.ask(
            "sign_in", username=username, password=password, code=code, client_address=client_address
        )
        return SignedIn(
            token=decode(answer.get("token")),
            statement=SessionStatement.from_json(answer["statement"]),
            signature=decode(answer.get("signature")),
        )

    async def check_app_password(self, username: str, password: str, client_address: str) -> Principal:
        """Judge an app password; `username` is its person's username or address.

        Raises NotAuthenticated, RateExceeded.
        """
        answer = await self._client.ask(
            "check_app_password", username=username, password=password, client_address=client_address
        )
        return Principal(text(answer, "person"), text(answer, "credential"))

    async def make_app_password(self, token: bytes) -> NewAppPassword:
        """Make an app password for the person of a live session. Raises NotAuthenticated."""
        return _app_password(await self._client.ask("make_app_password", token=encode(token)))

    async def make_totp(self, token: bytes) -> NewTotp:
        """Make a code seed for the person of a live session. Raises NotAuthenticated."""
        return _totp(await self._client.ask("make_totp", token=encode(token)))

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.close()


class OperatorClient:
    """The way of a local operator, by the socket that only the authenticator's own user and root are answered on."""

    def __init__(self, path: Path) -> None:
        self._client = FrameClient(path, away=AuthenticatorUnavailable)

    async def hello(self) -> dict[str, Any]:
        """Return what the authenticator says of itself."""
        return await self._client.ask("hello")

    async def make_password(self, person_id: str, password: str) -> str:
        """Return the `data` of a password credential. Raises Malformed when the password is a poor one."""
        return text(await self._client.ask("make_password", person=person_id, password=password), "data")

    async def make_totp(self, person_id: str) -> NewTotp:
        """Make a code seed for a person. Raises NotAllowed when there is no such person."""
        return _totp(await self._client.ask("make_totp", person=person_id))

    async def make_app_password(self) -> NewAppPassword:
        """Make an app password."""
        return _app_password(await self._client.ask("make_app_password"))

    async def forgive(self, person_id: str) -> None:
        """Let a person sign in again after too many failures."""
        await self._client.ask("forgive", person=person_id)

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.close()


def _app_password(answer: dict[str, Any]) -> NewAppPassword:
    return NewAppPassword(text(answer, "lookup"), text(answer, "data"), text(answer, "clear"))


def _totp(answer: dict[str, Any]) -> NewTotp:
    return NewTotp(text(answer, "data"), text(answer, "uri"))
