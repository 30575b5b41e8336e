"""Training of a language model: ``trainer.py`` computes the epochs, ``run.py`` prepares and saves a training."""
