"""The language model: a memory network that predicts the next word of a text.

``training/trainer.py`` runs an epoch, ``networks/memn2n.py`` computes a hop, ``model.py`` is what users call.
"""
