"""Benchmarks: what the package costs, beside a plain implementation in the same run."""
