"""A rule-based reader of the 20 bAbI tasks: an oracle from text alone, which learns nothing and knows no task."""

from memn2n.rules.answering import solve
from memn2n.rules.reading import read_question, read_sentence

__all__ = ["read_question", "read_sentence", "solve"]
