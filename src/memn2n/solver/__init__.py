"""A rule-based reader of the 20 bAbI tasks: an oracle from text alone, which learns nothing and knows no task."""

from memn2n.solver.answering import solve
from memn2n.solver.reading import read_question, read_sentence

__all__ = ["read_question", "read_sentence", "solve"]
