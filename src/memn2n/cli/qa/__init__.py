"""The commands ``memn2n qa``."""
