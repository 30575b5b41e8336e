"""Exchangeable words: renaming them everywhere in a story, its question and its answer gives another true example."""
