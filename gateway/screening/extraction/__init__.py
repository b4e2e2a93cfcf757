"""Octets of mail and of documents to pieces of text with their place; what cannot be read is named."""

from __future__ import annotations
