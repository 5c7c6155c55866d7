"""A linear model with closed forms, in the place of an Autoencoder."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA


class LinearModel:
    """Principal components with encode, decode, reconstruct, and a normal prior."""

    def __init__(self, x, units):
        self.event_shape = x.shape[1:]
        self.units = units
        self.pca = PCA(units, whiten=True, random_state=0).fit(x.reshape(len(x), -1))

    def encode(self, x):
        return self.pca.transform(np.asarray(x).reshape(len(x), -1)).astype(np.float32)

    def decode(self, z):
        return self.pca.inverse_transform(z).reshape(-1, *self.event_shape).astype(np.float32)

    def reconstruct(self, x):
        return self.decode(self.encode(x))

    def generate(self, n, seed=0):
        return self.decode(np.random.default_rng(seed).normal(size=(n, self.units)))

    def prior_distribution(self):
        return norm()

    def posterior(self, x):
        return None


@pytest.fixture(scope="session")
def linear_model():
    return LinearModel


@pytest.fixture(scope="session")
def digits():
    bunch = load_digits()
    return (bunch.images / 16).astype(np.float32)[..., None], bunch.target


@pytest.fixture(autouse=True)
def settings_stay():
    """No figure may change matplotlib's settings for the user's own plots."""
    import matplotlib

    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
