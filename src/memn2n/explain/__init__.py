"""Why an answer was given: its attention, made visible."""
