"""The networks, written once, in PyTorch."""
