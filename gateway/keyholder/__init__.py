"""The program that opens, and nothing else does: case keys, rights, the entry before the answer."""

from __future__ import annotations
