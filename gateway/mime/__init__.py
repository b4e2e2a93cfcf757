"""MIME without I/O: bytes in, structure and text out. Nothing here opens a file, logs, or trusts what it reads."""
