"""``memn2n reproduce``."""
