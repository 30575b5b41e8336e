"""Attention and trainings as tables and figures."""
