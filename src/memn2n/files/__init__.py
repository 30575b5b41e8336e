"""Read and write files: text lines, JSON lines, metrics, models, downloads.

This package knows neither stories nor text: it imports nothing from ``qa`` and ``lm``.
"""
