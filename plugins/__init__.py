"""Regularizers that use only zoo's public names, as those of any other package do."""
