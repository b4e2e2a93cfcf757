"""How other programs ask the authenticator. Every call raises AuthenticatorUnavailable when it is away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.authenticator.protocol import (
    Beginning,
    ComeBack,
    NewAppPassword,
    NewFirstCode,
    NewRecoveryCodes,
    NewTotp,
    Outcome,
    PasskeyQuestion,
    SignedBinding,
    SignedEnding,
    SignedIn,
    SignedLinking,
    SigningUp,
)
from gateway.domain.credential import Principal
from gateway.domain.errors import AuthenticatorUnavailable
from gateway.domain.proof import Binding, Ending, Linking
from gateway.frames import FrameClient, decode, encode, text


class AuthenticatorClient:
    """The way of the portal and of the submission door."""

    def __init__(self, path: Path) -> None:
        self._client = FrameClient(path, away=AuthenticatorUnavailable)

    async def hello(self) -> dict[str, Any]:
        """Return what the authenticator says of itself; it answers, so it is there."""
        return await self._client.ask("hello")

    async def sign_in(
        self,
        username: str,
        password: str,
        code: str,
        client_address: str,
        *,
        passkey: str = "",
        question: str = "",
        sent: str = "",
    ) -> SignedIn:
        """Judge a sign-in: the second factor is a code, or a passkey's answer to a question that was asked here.

        `sent` is what `send_code` gave: then the password was judged before, and the code is the one that was sent.

        Raises NotAuthenticated, the same for every wrong thing, or RateExceeded.
        """
        proofs = {"password": password, "code": code, "passkey": passkey, "question": question, "sent": sent}
        answer = await self._client.ask("sign_in", username=username, client_address=client_address, **proofs)
        return SignedIn.from_frame(answer)

    async def send_code(self, username: str, password: str, client_address: str) -> str:
        """Send a code to a telephone, where the password is right and one is known; return what the page carries.

        It tells nobody whether a code was sent. Raises RateExceeded.
        """
        proofs = {"username": username, "password": password, "client_address": client_address}
        return text(await self._client.ask("send_code", **proofs), "sent")

    async def passkey_question(self) -> PasskeyQuestion:
        """Return the question that a passkey answers at a sign-in."""
        return _question(await self._client.ask("passkey_question"))

    async def invite_passkey(self, token: bytes) -> PasskeyQuestion:
        """Return the question by which the person of a live session adds a passkey. Raises NotAuthenticated."""
        return _question(await self._client.ask("invite_passkey", token=encode(token)))

    async def make_passkey(self, token: bytes, response: str, question: str) -> str:
        """Return the `data` of the passkey that a browser has made. Raises NotAuthenticated when it is not good."""
        arguments = {"token": encode(token), "response": response, "question": question}
        return text(await self._client.ask("make_passkey", **arguments), "data")

    async def make_recovery_codes(self, token: bytes) -> NewRecoveryCodes:
        """Make recovery codes for the person of a live session. Raises NotAuthenticated."""
        made = await self._client.ask("make_recovery_codes", token=encode(token))
        return NewRecoveryCodes(text(made, "data"), tuple(str(code) for code in made["codes"]))

    async def begin(self, provider: str, first_code: str, client_address: str) -> Beginning | Outcome:
        """Begin a sign-in at a provider, with a first code if there is one. Raises NotAllowed, RateExceeded."""
        answer = await self._client.ask(
            "begin", provider=provider, first_code=first_code, client_address=client_address
        )
        return _beginning(answer)

    async def begin_link(self, token: bytes, provider: str) -> Beginning | Outcome:
        """Begin a sign-in whose account becomes a live session's person's. Raises NotAuthenticated, NotAllowed."""
        return _beginning(await self._client.ask("begin_link", token=encode(token), provider=provider))

    async def finish(self, provider: str, attempt: bytes, answer: Mapping[str, str]) -> ComeBack:
        """Judge what a browser has brought back from a provider: the parameters of its answer. Raises NotAllowed."""
        found = await self._client.ask("finish", provider=provider, attempt=encode(attempt), answer=dict(answer))
        outcome = Outcome(text(found, "outcome"))
        if outcome is Outcome.LINK:
            linking = SignedLinking(Linking.from_json(found.get("linking")), decode(found.get("signature")))
            return ComeBack(outcome, linking=linking)
        if outcome is not Outcome.SIGNED_IN:
            return ComeBack(outcome)
        return ComeBack(outcome, SignedIn.from_frame(found), _bindings(found))

    async def begin_sign_up(self, first_code: str, client_address: str) -> SigningUp | Outcome | None:
        """Begin a first sign-in with a password; None when the code is not good, an outcome when passwords are over.

        Raises RateExceeded.
        """
        found = await self._client.ask("begin_sign_up", first_code=first_code, client_address=client_address)
        if "outcome" in found:
            outcome = Outcome(text(found, "outcome"))
            return None if outcome is Outcome.CODE_OVER else outcome
        return SigningUp(*(text(found, name) for name in ("username", "uri", "options", "ticket")))

    async def finish_sign_up(
        self, ticket: str, password: str, code: str, passkey: str
    ) -> tuple[SignedIn, tuple[SignedBinding, ...]]:
        """Judge what was chosen. Raises Malformed for what may not stand, NotAuthenticated when the code is over."""
        chosen = {"ticket": ticket, "password": password, "code": code, "passkey": passkey}
        found = await self._client.ask("finish_sign_up", **chosen)
        return SignedIn.from_frame(found), _bindings(found)

    async def leaving(self, provider: str) -> str:
        """Return where a browser signs out at a provider; empty where it cannot. Raises NotAllowed."""
        return text(await self._client.ask("leaving", provider=provider), "address")

    async def logout_notice(self, provider: str, token: str) -> list[SignedEnding]:
        """Judge a provider's logout token. Raises NotAuthenticated, NotAllowed."""
        return _endings(await self._client.ask("logout_notice", provider=provider, token=token))

    async def security_event(self, provider: str, token: str) -> list[SignedEnding]:
        """Judge a provider's security event token. Raises NotAuthenticated, NotAllowed."""
        return _endings(await self._client.ask("security_event", provider=provider, token=token))

    async def make_first_code(self, token: bytes) -> NewFirstCode:
        """Make a first code, under a live session. Raises NotAuthenticated."""
        return _first_code(await self._client.ask("make_first_code", token=encode(token)))

    async def check_app_password(self, username: str, password: str, client_address: str) -> Principal:
        """Judge an app password; `username` is its person's username or address.

        Raises NotAuthenticated, RateExceeded.
        """
        answer = await self._client.ask(
            "check_app_password", username=username, password=password, client_address=client_address
        )
        return Principal(text(answer, "person"), text(answer, "credential"))

    async def check_token(self, username: str, token: str, client_address: str) -> Principal:
        """Judge an access token for handing in mail; `username` is empty, or its person's username or address.

        Raises NotAuthenticated, RateExceeded.
        """
        answer = await self._client.ask("check_token", username=username, token=token, client_address=client_address)
        return Principal(text(answer, "person"), text(answer, "credential"))

    async def check_certificate(self, username: str, certificate: bytes, client_address: str) -> Principal:
        """Judge a client certificate (DER) whose key was proved; `username` as with a token.

        Raises NotAuthenticated with the reason, RateExceeded.
        """
        shown = {"certificate": encode(certificate), "client_address": client_address}
        answer = await self._client.ask("check_certificate", username=username, **shown)
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

    async def make_certificate(self, given: str) -> tuple[str, str]:
        """Return lookup and label of a client certificate (PEM), or of the name in one. Raises Malformed."""
        made = await self._client.ask("make_certificate", given=given)
        return text(made, "lookup"), text(made, "label")

    async def make_telephone(self, person_id: str, number: str, channel: str) -> tuple[str, str]:
        """Return the `data` and the label of a telephone that codes are sent to. Raises Malformed."""
        made = await self._client.ask("make_telephone", person=person_id, number=number, channel=channel)
        return text(made, "data"), text(made, "label")

    async def make_first_code(self) -> NewFirstCode:
        """Make a first code."""
        return _first_code(await self._client.ask("make_first_code"))

    async def forgive(self, person_id: str) -> None:
        """Let a person sign in again after too many failures."""
        await self._client.ask("forgive", person=person_id)

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.close()


def _app_password(answer: dict[str, Any]) -> NewAppPassword:
    return NewAppPassword(text(answer, "lookup"), text(answer, "data"), text(answer, "clear"))


def _first_code(answer: dict[str, Any]) -> NewFirstCode:
    return NewFirstCode(text(answer, "lookup"), text(answer, "clear"))


def _beginning(answer: dict[str, Any]) -> Beginning | Outcome:
    if "outcome" in answer:
        return Outcome(text(answer, "outcome"))
    return Beginning(text(answer, "address"), decode(answer.get("attempt")))


def _bindings(answer: dict[str, Any]) -> tuple[SignedBinding, ...]:
    return tuple(
        SignedBinding(Binding.from_json(one.get("binding")), decode(one.get("signature")))
        for one in answer.get("bindings", ())
    )


def _endings(answer: dict[str, Any]) -> list[SignedEnding]:
    stated = answer.get("endings")
    return [
        SignedEnding(Ending.from_json(one.get("ending")), decode(one.get("signature")))
        for one in (stated if isinstance(stated, list) else [])
    ]


def _question(answer: dict[str, Any]) -> PasskeyQuestion:
    return PasskeyQuestion(text(answer, "options"), text(answer, "question"))


def _totp(answer: dict[str, Any]) -> NewTotp:
    return NewTotp(text(answer, "data"), text(answer, "uri"))
