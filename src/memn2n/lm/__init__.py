"""Language modelling: a memory network that predicts the next word of a text."""
