"""Pyle, "A Sparse VAE"."""
