"""Benchmarks of question answering."""
