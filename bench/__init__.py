"""Benchmarks: each prints what it compares, as a ratio within one run."""
