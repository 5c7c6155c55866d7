"""Speed of training and serving, against other libraries, side by side in one run."""
