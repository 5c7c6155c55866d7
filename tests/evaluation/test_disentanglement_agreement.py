"""Agreement with disentanglement_lib 1.5.

Its metric modules were run as they are (gin replaced by an empty stand-in, settings passed by hand) with
NumPy 2.4 and scikit-learn 1.9, on the data and the splits below, and printed the numbers that stand here.
"""

import numpy as np
import pytest

from zoo.evaluation.disentanglement import beta_vae_score as beta_vae_function
from zoo.evaluation.disentanglement import dci, factor_vae_score, irs, mig, scores, udr
from zoo.evaluation.disentanglement.beta_vae_score import predict
from zoo.evaluation.disentanglement.dci import concentration, importances
from zoo.evaluation.disentanglement.factor_vae_score import correct
from zoo.evaluation.disentanglement.modularity_explicitness import (
    _explicitness,
    modularity,
    probabilities,
)
from zoo.evaluation.disentanglement.mutual_information import discretise, mutual_information
from zoo.evaluation.disentanglement.sap import gap, predictable, sap

TRAIN, TEST = slice(0, 400), slice(400, 600)


@pytest.fixture(scope="module")
def data():
    rs = np.random.RandomState(0)
    f = np.stack([rs.randint(k, size=600) for k in (3, 4, 5)], 1)
    noise = rs.normal(size=(600, 5))
    z = [
        f[:, 0] + 0.3 * noise[:, 0],
        0.5 * f[:, 1] + 0.2 * f[:, 2] + 0.3 * noise[:, 1],
        np.sin(f[:, 2]) + 0.2 * noise[:, 2],
        0.4 * f[:, 0] - 0.3 * f[:, 1] + noise[:, 3],
        0.02 * noise[:, 4],
    ]
    return np.stack(z, 1), f


def test_mig(data):
    assert mig(*data)["mig"] == pytest.approx(0.5485376637732208, abs=1e-9)


def test_irs(data):
    assert irs(*data)["irs"] == pytest.approx(0.45124743614880186, abs=1e-9)


def test_sap(data):
    z, f = data
    accuracy = predictable(z[TRAIN], f[TRAIN], z[TEST], f[TEST]).mean(axis=0)
    assert gap(accuracy) == pytest.approx(0.185, abs=1e-3)
    assert sap(z, f, continuous=True)["sap"] == pytest.approx(0.46331073620955326, abs=1e-9)


def test_a_score_of_continuous_factors_is_given_them_uncut(data):
    z, f = data
    f = f + np.random.default_rng(0).normal(size=f.shape) / 10
    options = {"sap": {"continuous": True}}
    alone = sap(z, f, continuous=True)["sap"]
    assert scores(z, f, names=["sap"], options=options)["sap"] == alone
    both = scores(z, f, names=["mig", "sap"], options=options, factor_bins=10)
    assert both["sap"] == alone
    assert both["mig"] == mig(z, f, factor_bins=10)["mig"]


def test_modularity_and_explicitness(data):
    z, f = data
    information = mutual_information(discretise(z[TRAIN]), f[TRAIN])
    assert modularity(information) == pytest.approx(0.7400784695140669, abs=1e-9)
    shares = probabilities(z[TRAIN], f[TRAIN], z[TEST])
    found = _explicitness(shares, f[TEST], np.arange(200))
    assert found == pytest.approx(0.9285075726490725, abs=1e-3)


def test_dci(data):
    # There, the trees' ties are broken by an unseeded generator; it ran with random_state=0.
    z, f = data
    table, right = importances(z[TRAIN], f[TRAIN], z[TEST], f[TEST])
    assert concentration(table) == pytest.approx(0.5337127574021152, abs=1e-3)
    assert concentration(table.T) == pytest.approx(0.5014084812769526, abs=1e-3)
    assert right.mean() == pytest.approx(0.7066666666666667, abs=1e-3)


@pytest.fixture(scope="module")
def draws(data):
    """Rows that were played back to disentanglement_lib as its samples."""
    _, f = data
    rs = np.random.RandomState(1)
    named = rs.randint(3, size=300)
    first = rs.randint(600, size=(300, 8))
    second = np.empty_like(first)
    for i, j in np.ndindex(first.shape):
        second[i, j] = rs.choice(np.flatnonzero(f[:, named[i]] == f[first[i, j], named[i]]))
    groups = [
        rs.choice(np.flatnonzero(f[:, k] == f[rows[0], k]), 8)
        for k, rows in zip(named, first, strict=True)
    ]
    return named, first, second, np.stack(groups)


def test_beta_vae_score_of_the_same_pairs(data, draws):
    z, _ = data
    named, first, second, _ = draws
    features = np.abs(z[first] - z[second]).mean(axis=1)
    found = predict(features[:200], named[:200], features[200:])
    assert np.mean(found == named[200:]) == pytest.approx(0.98, abs=1e-3)


def test_factor_vae_score_of_the_same_rows(data, draws):
    z, _ = data
    named, _, _, groups = draws
    active = z.std(axis=0, ddof=1) >= 0.05
    assert active.tolist() == [True] * 4 + [False]
    spread = z[groups][..., active].var(axis=1, ddof=1) / z[:, active].var(axis=0, ddof=1)
    units = spread.argmin(axis=1)
    found = correct((named[:200], units[:200]), (named[200:], units[200:]), 4)
    assert found.mean() == pytest.approx(0.97, abs=1e-3)


def test_scores_of_own_draws_scatter_around_the_protocols():
    # disentanglement_lib with batches of 4, mean and standard error over 20 seeds:
    # beta-VAE .5077 +- .0014, FactorVAE .4727 +- .0014; one run scatters by .006.
    grid = np.stack(np.meshgrid(*map(np.arange, (3, 4, 5)), indexing="ij"), -1).reshape(-1, 3)
    noise = np.random.RandomState(2).normal(size=(60, 3))
    z = [
        grid[:, 0] + 1.2 * noise[:, 0],
        0.5 * grid[:, 1] + 0.3 * grid[:, 2] + 0.6 * noise[:, 1],
        np.sin(grid[:, 2]) + noise[:, 2],
    ]
    z = np.stack(z, 1)
    found = beta_vae_function(z, grid, batch_size=4)["beta_vae_score"]
    assert found == pytest.approx(0.5077, abs=0.02)
    found = factor_vae_score(z, grid, batch_size=4)["factor_vae_score"]
    assert found == pytest.approx(0.4727, abs=0.02)


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        ("lasso", [0.5457144603832422, 0.5249619060889402, 0.3182133796597142]),
        ("spearman", [0.4862446596243673, 0.46662293304998637, 0.3172598522344938]),
    ],
)
def test_udr(correlation, expected):
    rs = np.random.RandomState(3)
    s = rs.normal(size=(200, 4))
    codes = [
        s @ np.diag([1, 2, 0.5, 1]) + 0.3 * rs.normal(size=(200, 4)),
        s[:, [2, 0, 3, 1]] * [1, -1, 1, 1] + 0.5 * rs.normal(size=(200, 4)),
        s @ rs.normal(size=(4, 4)),
    ]
    divergences = [np.array([1, 2, 0.5, 0.001]), np.array([1, 1, 0.2, 0.7]), np.ones(4)]
    found = udr(codes, divergences, correlation=correlation)
    np.testing.assert_allclose(found["udr"], expected, atol=1e-6)


def test_dci_splits_rows_in_the_protocols_proportion(data):
    z, f = data
    with pytest.warns(UserWarning, match="one factor"):
        found = dci(z, f[:, :1], classifier=_Constant)
    assert found["dci_completeness"] == pytest.approx(0, abs=1e-8)
    assert _Constant.rows == (400, 200)


class _Constant:
    """A classifier that finds all units equally important."""

    rows = ()

    def __init__(self, seed):
        pass

    def fit(self, codes, factor):
        self.feature_importances_ = np.full(codes.shape[1], 1 / codes.shape[1])
        self.trained = len(codes)
        return self

    def predict(self, codes):
        type(self).rows = (self.trained, len(codes))
        return np.zeros(len(codes))
