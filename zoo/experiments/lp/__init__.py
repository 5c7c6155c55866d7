"""Callahan, "The L_P Autoencoder"."""
