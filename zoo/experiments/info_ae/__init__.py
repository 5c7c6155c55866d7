"""The InfoAE: Haque et al., table 1 and figure 2."""
