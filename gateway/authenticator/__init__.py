"""The program that judges proofs of identity and signs sign-ins; it can open nothing."""

from __future__ import annotations
