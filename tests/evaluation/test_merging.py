import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import adjusted_rand_score

from zoo.evaluation.merging import merge_clusters, nearest, renaming


def test_clusters_that_lie_together_are_merged():
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 300)
    points = random.random((900, 2)) + 10.0 * truth[:, None]
    # Each class is a square of four quarters; one neighbour in ten is anything.
    quarter = (2 * (points[:, 0] % 1 > 0.5) + (points[:, 1] % 1 > 0.5)).astype(int)
    near = nearest(points)
    near[:, -1] = random.permutation(900)
    clusters = random.permutation(14)[4 * truth + quarter]
    parts = merge_clusters(clusters, near, 3)
    assert adjusted_rand_score(truth, parts[clusters]) == 1


def test_clusters_too_small_for_the_cut_go_where_their_neighbours_are():
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 300)
    points = random.random((900, 2)) + 10.0 * truth[:, None]
    clusters = 2 * truth + (points[:, 0] % 1 > 0.5)
    strays = {6: 0, 7: 300, 8: 600}  # a cluster of one example in every class
    for cluster, row in strays.items():
        clusters[row] = cluster
    parts = merge_clusters(clusters, nearest(points), 3, least=0.01)
    assert adjusted_rand_score(truth, parts[clusters]) == 1


def test_the_largest_clusters_are_cut_where_few_are_large_enough():
    clusters = np.repeat([0, 1, 3, 4], [40, 30, 20, 10])
    near = np.arange(100)[:, None].repeat(2, axis=1)
    near[clusters == 4] = 0  # cluster 4 lies at cluster 0
    parts = merge_clusters(clusters, near, 3, least=0.5)
    assert parts[4] == parts[0]
    assert len({parts[0], parts[1], parts[3]}) == 3


def test_too_few_clusters_cannot_be_merged():
    with pytest.raises(ValueError, match="Only 1 clusters"):
        merge_clusters(np.zeros(20, int), np.zeros((20, 4), int), 3)


def test_neighbours_are_the_nearest():
    points = np.random.default_rng(0).random((40, 2, 3))
    distance = np.linalg.norm((points[:, None] - points[None]).reshape(40, 40, 6), axis=-1)
    expected = np.argsort(distance, axis=1)[:, 1:4]
    assert_array_equal(np.sort(nearest(points, 3)), np.sort(expected))


def test_renaming_undoes_a_permutation():
    random = np.random.default_rng(0)
    reference = random.integers(0, 6, 500)
    names = random.permutation(6)
    clusters = np.argsort(names)[reference]
    clusters[:20] = 0
    assert_array_equal(renaming(clusters, reference, 6), names)
