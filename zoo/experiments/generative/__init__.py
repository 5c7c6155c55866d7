"""Generative autoencoders: anomalies, gaps, few labels, quantized codes, fitted priors, bounds."""
