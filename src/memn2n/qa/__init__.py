"""Question answering: a memory network that answers questions about stories."""
