"""Answers the questions of the 20 bAbI tasks from the text by rules: an oracle to check stories and models against."""

from memn2n.rules.answering import solve
from memn2n.rules.parsing import parse_question, parse_sentence

__all__ = ["parse_question", "parse_sentence", "solve"]
