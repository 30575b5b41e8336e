"""The networks of the language model; ``NETWORKS`` lists them by name."""

from __future__ import annotations

from memn2n.lm.networks.lstm import LSTMNetwork
from memn2n.lm.networks.memn2n import LMNetwork

LanguageNetwork = LMNetwork | LSTMNetwork
"""A network that ``LMTrainer`` can train."""

NETWORKS: dict[str, type[LanguageNetwork]] = {"memn2n": LMNetwork, "lstm": LSTMNetwork}
