"""The models of the lecture on autoencoders, each against the paper that it is from."""
