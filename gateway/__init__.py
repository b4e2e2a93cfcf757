"""A mail gateway between e-mail and secure messaging: sealed before it is accepted, opened only by the keyholder."""

from __future__ import annotations

__version__ = "0.1.0"
