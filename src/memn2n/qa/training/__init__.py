"""Training of the networks that answer questions.

``restarts`` trains a network several times and keeps the best; ``problem`` chooses the backend and trains it once;
``schedule`` runs the epochs of one training; a loop (``native_loop`` or ``torch_loop``) computes an epoch.
"""
