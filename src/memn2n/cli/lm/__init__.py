"""The commands ``memn2n lm``."""
