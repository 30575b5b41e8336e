"""Training of networks that answer questions."""
