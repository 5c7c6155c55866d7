import warnings

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import mutual_info_score

from zoo.evaluation import disentanglement as d
from zoo.evaluation.checks import NotComputable
from zoo.evaluation.disentanglement.dci import concentration
from zoo.evaluation.disentanglement.modularity_explicitness import modularity
from zoo.evaluation.disentanglement.mutual_information import (
    discretise,
    entropies,
    mutual_information,
)
from zoo.evaluation.disentanglement.rows import SharedValues, train_test

SMALL = {
    "beta_vae_score": {"num_train": 400, "num_eval": 300},
    "factor_vae_score": {"num_train": 400, "num_eval": 300},
    "dci": {
        "classifier": lambda seed: ExtraTreesClassifier(20, max_features=None, random_state=seed)
    },
}


def grid(*sizes):
    return np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), -1).reshape(-1, len(sizes))


@pytest.fixture(scope="module")
def factors():
    return np.tile(grid(3, 4, 5), (10, 1))


def test_information_of_a_table_by_hand():
    unit = np.array([0, 0, 0, 1])[:, None]
    factor = np.array([0, 0, 1, 1])[:, None]
    expected = 0.5 * np.log(0.5 / 0.375) + 0.25 * np.log(0.25 / 0.375) + 0.25 * np.log(2)
    assert mutual_information(unit, factor)[0, 0] == pytest.approx(expected)
    assert entropies(unit)[0] == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    assert mutual_information(unit, unit)[0, 0] == pytest.approx(entropies(unit)[0])


def test_information_equals_sklearns(factors):
    rng = np.random.default_rng(0)
    units = rng.integers(0, 7, (len(factors), 2))
    found = mutual_information(units, factors)
    expected = [[mutual_info_score(u, f) for f in factors.T] for u in units.T]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_bins_are_of_equal_width():
    codes = np.array([0.0, 0.24, 0.26, 0.74, 0.76, 1.0])[:, None]
    assert discretise(codes, 4)[:, 0].tolist() == [0, 0, 1, 2, 3, 3]
    assert len(set(discretise(np.full((5, 1), 3.0))[:, 0])) == 1


def test_a_unit_that_varies_by_its_last_digit_alone_is_measured(factors):
    near = np.nextafter(np.float32(1), np.float32(2))
    later = np.arange(len(factors)) % 2
    found = mutual_information(discretise(np.where(later, near, np.float32(1))[:, None]), factors)
    expected = [[mutual_info_score(later, f) for f in factors.T]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_perfect_codes_reach_the_top(factors):
    codes = factors @ np.diag([1.0, -2.0, 0.5]) + [0, 1, 5]
    found = d.scores(codes, factors, options=SMALL)
    for name in ("beta_vae_score", "factor_vae_score", "mig", "mig_sup", "irs"):
        assert found[name] == pytest.approx(1, abs=2e-3), name
    assert found["modularity"] == pytest.approx(1, abs=1e-4)
    for name in ("dci_disentanglement", "dci_completeness", "dci_informativeness"):
        assert found[name] == pytest.approx(1, abs=1e-6), name
    assert found["explicitness"] > 0.7
    assert found["sap"] > 0.3


def test_independent_codes_score_near_the_bottom(factors):
    codes = np.random.default_rng(0).normal(size=(600, 4))
    found = d.scores(codes, factors, options=SMALL)
    assert found["beta_vae_score"] == pytest.approx(1 / 3, abs=0.12)
    assert found["factor_vae_score"] == pytest.approx(1 / 3, abs=0.12)
    assert found["explicitness"] == pytest.approx(0.5, abs=0.08)
    for name in ("mig", "mig_sup", "sap", "dci_disentanglement", "dci_completeness"):
        assert found[name] < 0.08, name
    assert found["dci_informativeness"] < 0.4


def test_a_rotation_lowers_every_gap(factors):
    codes = (factors - factors.mean(0)) / factors.std(0)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    names = ("mig", "sap", "modularity_explicitness", "irs", "factor_vae_score")
    straight, turned = (
        d.scores(z, factors, names=names, options=SMALL) for z in (codes, codes @ rotation)
    )
    for name in ("mig", "mig_sup", "sap", "modularity", "irs"):
        assert turned[name] < straight[name] - 0.1, name
    # A rotation keeps what can be read linearly.
    assert turned["explicitness"] == pytest.approx(straight["explicitness"], abs=0.03)


def test_mig_sup_sees_two_factors_in_one_unit_and_mig_two_units_of_one_factor(factors):
    shared = np.stack([factors[:, 0] + 3 * factors[:, 1], factors[:, 2]], 1).astype(float)
    found = d.mig(shared, factors, bins=60)
    # The first unit tells all of both factors: no gap for it, a full one for the second.
    assert found["mig_sup"] == pytest.approx(0.5, abs=1e-6)
    assert found["mig"] == pytest.approx(1, abs=1e-6)
    doubled = np.concatenate([factors, factors], 1).astype(float)
    found = d.mig(doubled, factors)
    assert found == pytest.approx({"mig": 0, "mig_sup": 1}, abs=1e-9)


def test_inactive_units_do_not_count_in_mig_sup(factors):
    noise = 0.01 * np.random.default_rng(0).normal(size=(600, 2))
    codes = np.concatenate([factors, noise], 1)
    assert d.mig(codes, factors)["mig_sup"] == pytest.approx(1)


def test_dci_weights_rows_by_their_importance():
    table = np.array([[0.6, 0.0], [0.2, 0.2]])
    assert concentration(table) == pytest.approx(0.6, abs=1e-6)
    assert concentration(np.zeros((2, 2))) == 0
    assert concentration(np.eye(3)) == pytest.approx(1, abs=1e-6)


def test_modularity_by_hand():
    information = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert modularity(information) == pytest.approx((1 - 1 / (4 * 2)) / 2)


def test_irs_by_hand():
    # One unit equal to factor 0, one with a spread of half its maximum under both.
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 10)
    codes = np.stack([factors[:, 0], factors.sum(1)], 1).astype(float)
    found = d.irs(codes, factors, quantile=1.0)["irs"]
    assert found == pytest.approx((0.5 * 1 + 1 * (1 - 0.5)) / 1.5)


def test_partners_share_the_value_uniformly():
    factors = np.array([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [2, 0]])
    shared, rng = SharedValues(factors), np.random.default_rng(0)
    anchors = shared.anchors(0, 6000, rng)
    assert set(anchors) == {0, 1, 2, 3, 4}  # row 5 is alone with its value
    partners = shared.partners(0, anchors, rng)
    assert (factors[anchors, 0] == factors[partners, 0]).all()
    counts = np.bincount(partners[anchors == 1])
    np.testing.assert_allclose(counts / counts.sum(), 1 / 3, atol=0.06)
    with pytest.raises(NotComputable, match="no two rows share"):
        SharedValues(np.arange(4)[:, None]).anchors(0, 1, rng)


def test_an_incomplete_grid_still_tells_perfect_codes(factors):
    rng = np.random.default_rng(0)
    kept = grid(6, 6, 6)[rng.permutation(216)[:70]]
    codes = kept.astype(float)
    for score in ("beta_vae_score", "factor_vae_score"):
        found = d.scores(codes, kept, names=[score], options=SMALL)
        assert found[score] > 0.98


def test_rows_are_split_without_overlap():
    train, test = train_test(90, 10_000, 5_000, 0)
    assert (len(train), len(test)) == (60, 30)
    assert sorted([*train, *test]) == list(range(90))
    train, test = train_test(900, 100, 50, 0)
    assert (len(train), len(test)) == (100, 50)
    with pytest.raises(NotComputable, match="10 rows each"):
        train_test(20, 10_000, 5_000, 0)


def test_intervals_hold_the_values(factors):
    rng = np.random.default_rng(0)
    codes = factors + rng.normal(size=factors.shape)
    options = {**SMALL, "dci": {**SMALL["dci"], "refits": 5}}
    found = d.scores(codes, factors, options=options, bootstrap=40)
    for name, score in found.items():
        assert score["low"] <= score["high"], name
        assert score["low"] >= 0 and score["high"] <= 1, name
    for name in ("mig", "irs", "beta_vae_score", "dci_informativeness", "sap"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"], name


def test_the_seed_fixes_every_score(factors):
    codes = factors + np.random.default_rng(0).normal(size=factors.shape)
    names = ("beta_vae_score", "factor_vae_score", "dci", "sap")
    first, again = (d.scores(codes, factors, names=names, options=SMALL, seed=5) for _ in range(2))
    assert first == again


def test_constant_codes_score_as_no_representation(factors):
    with pytest.warns(UserWarning, match=r"All codes are equal|mig_sup is NaN"):
        found = d.scores(np.ones((600, 3)), factors, options=SMALL)
    for name in ("factor_vae_score", "mig", "sap", "dci_disentanglement", "modularity", "irs"):
        assert found[name] == pytest.approx(0, abs=1e-6), name
    assert np.isnan(found["mig_sup"])
    assert found["explicitness"] == 0.5


def test_one_factor_or_one_unit_is_nan_with_a_warning(factors):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        one_factor = d.scores(factors * 1.0, factors[:, :1], options=SMALL)
        one_unit = d.scores(factors[:, :1] * 1.0, factors, options=SMALL)
    nan = {name for name, value in one_factor.items() if np.isnan(value)}
    assert nan == {
        "beta_vae_score",
        "factor_vae_score",
        "mig_sup",
        "modularity",
        "dci_disentanglement",
    }
    nan |= {name for name, value in one_unit.items() if np.isnan(value)}
    assert nan >= {"mig", "sap", "dci_completeness"}
    said = " ".join(str(w.message) for w in caught)
    assert all(name in said for name in nan)


def test_bad_input(factors):
    codes = factors.astype(float)
    with pytest.raises(ValueError, match="match the 600 codes"):
        d.scores(codes, factors[:-1])
    with pytest.raises(ValueError, match="Unknown score 'migs'"):
        d.scores(codes, factors, names=["migs"])
    with pytest.raises(ValueError, match="hold NaN"):
        d.scores(np.where(codes == 0, np.nan, codes), factors)
    with pytest.raises(NotComputable, match="10 rows each"):
        d.dci(codes[:12], grid(3, 4))


def test_udr_of_permuted_and_of_unrelated_models():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3))
    same = [z, z[:, ::-1] * [1, -2, 3], 0.5 * z]
    # The lasso shrinks a full correlation of 1 by its weight of .1.
    np.testing.assert_allclose(d.udr(same)["udr"], 0.9, atol=0.01)
    np.testing.assert_allclose(d.udr(same, correlation="spearman")["udr"], 0.9, atol=0.15)
    apart = d.udr([z, rng.normal(size=(500, 3)), rng.normal(size=(500, 4))])
    assert (apart["udr"] < 0.1).all()
    assert np.isnan(np.diag(apart["pairwise"])).all()


def test_udr_without_informative_units_is_nan_with_a_warning():
    z = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.warns(UserWarning, match="udr of model 1 is NaN"):
        found = d.udr([z, 0.01 * z, z])["udr"]
    assert np.isnan(found[1]) and not np.isnan(found[[0, 2]]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.zeros((5, 2))],), "two models or more"),
        (([np.zeros((5, 2)), np.zeros((4, 2))],), "same examples"),
        (([np.eye(3), np.eye(3)], [np.ones(3), np.ones(2)]), "one number a unit"),
    ],
)
def test_udr_refuses_what_does_not_match(arguments, message):
    with pytest.raises(ValueError, match=message):
        d.udr(*arguments)
