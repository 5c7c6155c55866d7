import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from scipy.spatial.distance import cdist

from zoo.recipes.spreading import (
    choose_alpha,
    edge_histograms,
    neighbour_features,
    neighbour_graph,
    spread,
    upright,
)

RNG = np.random.default_rng(0)


def bar(slant=0.0, shift=(0.0, 0.0)):
    """A smooth upright bar of 28 x 28, slanted by `slant` columns a row and shifted."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    across = columns - shift[1] - slant * (rows - shift[0])
    return np.exp(-(across**2) / 4 - (rows - shift[0]) ** 2 / 40).astype(np.float32)


def moments(picture):
    rows, columns = np.mgrid[:28, :28]
    y, x = ((places * picture).sum() / picture.sum() for places in (rows, columns))
    return y, x, ((rows - y) * (columns - x) * picture).sum() / picture.sum()


def test_slanted_and_shifted_pictures_stand_upright_in_the_middle():
    (changed,) = upright(bar(0.3, (1.5, -2.0))[None])
    y, x, together = moments(changed)
    assert_allclose([y, x], [13.5, 13.5], atol=0.05)
    assert abs(together) < 0.1 < abs(moments(bar(0.3))[2])
    assert_allclose(changed, bar(), atol=0.06)


def test_an_upright_picture_and_an_empty_one_stay():
    pictures = np.stack([bar(), np.zeros((28, 28), np.float32)])
    assert_allclose(upright(pictures), pictures, atol=1e-3)


def test_histograms_tell_directions_apart_and_have_norm_one():
    ramp = np.tile(np.arange(28.0), (28, 1))
    features = edge_histograms(np.stack([ramp, ramp.T, -ramp, np.zeros((28, 28))]))
    assert_allclose(np.linalg.norm(features, axis=1), [1, 1, 1, 0], atol=1e-5)
    # Eight directions: to the right is the first, down the third, to the left the fifth.
    by_direction = (features.reshape(4, 8, -1) ** 2).sum(axis=-1)
    assert_array_equal(by_direction[:3].argmax(axis=1), [0, 2, 4])
    assert_allclose(by_direction[:3].max(axis=1), 1, atol=1e-5)


def test_small_changes_move_the_features_less_than_the_pixels():
    plain, changed, other = bar(), bar(0.3, (1.0, 2.0)), ndimage.rotate(bar(), 60, reshape=False)
    features = neighbour_features(np.stack([plain, changed, other])[..., None], piece=2)
    near, far = (np.linalg.norm(features[0] - features[i]) for i in (1, 2))
    assert near < 0.25 * far
    pixels = [np.linalg.norm(plain - picture) for picture in (changed, other)]
    assert pixels[0] > 0.5 * pixels[1]


def test_names_are_the_fixed_point_of_label_spreading():
    features = RNG.normal(size=(40, 3))
    names, sure = RNG.integers(0, 3, 40), RNG.random(40) < 0.4
    k, alpha = 5, 0.8
    found, share = spread(names, sure, neighbour_graph(features, k), alpha=alpha)
    distances = cdist(features, features)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1)[:, :k]
    scale = np.take_along_axis(distances, near, axis=1)[:, -1]
    weights = np.zeros((40, 40))
    for i in range(40):
        weights[i, near[i]] = np.exp(-(distances[i, near[i]] ** 2) / (scale[i] * scale[near[i]]))
    weights = weights + weights.T
    root = 1 / np.sqrt(weights.sum(axis=1))
    known = np.eye(3)[names] * sure[:, None]
    limit = np.linalg.solve(np.eye(40) - alpha * root[:, None] * weights * root, known)
    limit /= limit.sum(axis=1, keepdims=True)
    assert_allclose(share, limit.max(axis=1), atol=2e-3)
    assert (found == limit.argmax(axis=1))[share > 0.51].all()


def test_two_far_groups_take_the_name_of_their_one_sure_example():
    features = np.concatenate([RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2)) + 50])
    names, sure = np.zeros(60, int), np.zeros(60, bool)
    names[[3, 40]] = [7, 2]
    sure[[3, 40]] = True
    found, share = spread(names, sure, neighbour_graph(features))
    assert_array_equal(found, np.repeat([7, 2], 30))
    assert_allclose(share, 1, atol=1e-6)


@pytest.mark.parametrize("sure", [np.zeros(20, bool), np.ones(19, bool)])
def test_spreading_from_nothing_is_refused(sure):
    with pytest.raises(ValueError, match="at least one sure"):
        spread(np.zeros(20, int), sure, neighbour_graph(RNG.normal(size=(20, 2)), 3))


def test_features_in_place_of_their_graph_are_refused():
    features = RNG.normal(size=(20, 2))
    with pytest.raises(
        ValueError, match=r"as neighbour_graph\(features\) gives it; received \(20, 2\)"
    ):
        spread(np.zeros(20, int), np.ones(20, bool), features)


@pytest.mark.parametrize("neighbours", [0, 20])
def test_a_graph_needs_more_examples_than_neighbours(neighbours):
    with pytest.raises(ValueError, match="from 1 to 19 neighbours of each of 20 examples"):
        neighbour_graph(RNG.normal(size=(20, 2)), neighbours)


def test_alpha_is_the_one_that_tells_hidden_names():
    """Two far groups, a tenth of their names wrong: no neighbour tells a hidden wrong name."""
    names = np.repeat([0, 1], 100)
    wrong = np.arange(200) % 10 == 0
    features = np.concatenate([RNG.normal(size=(100, 2)), RNG.normal(size=(100, 2)) + 50])
    given = np.where(wrong, 1 - names, names)
    sure = np.arange(200) % 5 != 1  # of the rest nothing is hidden
    alphas = [0.001, 0.9]
    graph = neighbour_graph(features, 9)
    chosen, told = choose_alpha(given, sure, graph, alphas, parts=4, seed=3)
    order = np.random.default_rng(3).permutation(np.flatnonzero(sure))
    assert len(order) == 160
    for alpha, share in zip(alphas, told, strict=True):
        right = 0
        for hidden in order.reshape(4, 40):
            left = sure & ~np.isin(np.arange(200), hidden)
            right += np.sum(spread(given, left, graph, alpha=alpha)[0][hidden] == given[hidden])
        assert share == right / 160
    assert told[1] == pytest.approx(1 - wrong[sure].mean())
    assert chosen == alphas[int(np.argmax(told))]


@pytest.mark.parametrize(("sure", "parts"), [(19, 10), (30, 1)])
def test_alpha_needs_names_to_hide(sure, parts):
    with pytest.raises(ValueError, match=f"received {parts} parts and {sure} sure examples"):
        choose_alpha(
            np.zeros(40, int),
            np.arange(40) < sure,
            neighbour_graph(RNG.normal(size=(40, 2)), 3),
            [0.5],
            parts,
        )
