"""Our own tables on bAbI: the errors of a default training, with and without exchangeable words."""
