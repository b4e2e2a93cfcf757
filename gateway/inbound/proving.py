"""From what a mail tool brought at AUTH to the question that the authenticator is asked."""

from __future__ import annotations

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.credential import Principal
from gateway.inbound.listener.sasl import BEARER, EXTERNAL
from gateway.inbound.listener.seam import Credentials, Peer


async def prove(authenticator: AuthenticatorClient, peer: Peer, credentials: Credentials) -> Principal:
    """Return the employee that credentials prove. Raises NotAuthenticated, RateExceeded, AuthenticatorUnavailable."""
    if credentials.mechanism in BEARER:
        return await authenticator.check_token(credentials.username, credentials.secret, peer.address)
    if credentials.mechanism == EXTERNAL:
        return await authenticator.check_certificate(credentials.username, credentials.certificate, peer.address)
    return await authenticator.check_app_password(credentials.username, credentials.secret, peer.address)
