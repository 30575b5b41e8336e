"""Training: the loop of one network, its noise and schedule, and restarts."""
