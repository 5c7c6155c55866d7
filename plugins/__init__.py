"""Regularizers that use only zoo's public names, found through entry points like any other plugin."""
