"""Benchmarks: each figure beside a peer in the same run, in alternating rounds; see `python -m benchmarks --help`."""
