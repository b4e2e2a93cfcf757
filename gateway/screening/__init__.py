"""Screening of mail from outside: octets in, a verdict out, nothing kept."""
