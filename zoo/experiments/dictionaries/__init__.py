"""Sparse dictionaries: data whose features are known, and real activations."""
