"""The networks of the language model."""
