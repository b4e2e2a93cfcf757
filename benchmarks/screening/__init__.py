"""A labelled corpus of generated mail, and the scorer of `gateway screen` over it (see docs/performance.md).

The generator knows of the screener its command line and its words only, never how it finds anything: it is written as
its adversary. All numbers are synthetic: valid by rule, drawn by a seed, and nobody's on purpose.
"""
