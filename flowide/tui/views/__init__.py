"""View-models: plain folds of a space's state into rows of text, tested without a terminal."""
