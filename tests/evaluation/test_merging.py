import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import adjusted_rand_score

from zoo.evaluation.merging import (
    absorb_clusters,
    merge_clusters,
    nearest,
    renaming,
)


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


def test_fragments_of_any_size_go_where_their_neighbours_are():
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 300)
    points = random.random((900, 2)) + 10.0 * truth[:, None]
    clusters = 2 * truth + (points[:, 0] % 1 > 0.9)
    strays = {6: 0, 8: 300, 9: 600}  # a cluster of one example in every class
    for cluster, row in strays.items():
        clusters[row] = cluster
    near = nearest(points)
    # Two classes touch more than a fragment and its class do, but not for their size.
    near[:100, :2], near[300:400, :2] = 350, 50
    parts = absorb_clusters(clusters, near, 3, total=12)
    assert parts.shape == (12,)
    assert adjusted_rand_score(truth, parts[clusters]) == 1


def test_absorbing_merges_the_largest_share_first():
    # Links by hand: 2 has 3 of its 4 links with 1; 0 and 1 have 6 of some 40.
    links = np.array([[17, 3, 0], [3, 17, 1.5], [0, 1.5, 0.5]])
    clusters, near = [], []
    members = {0: [], 1: [], 2: []}
    rows = [(a, b) for a in range(3) for b in range(3) for _ in range(int(2 * links[a, b]))]
    for row, (a, _) in enumerate(rows):
        clusters.append(a)
        members[a].append(row)
    for _, b in rows:
        near.append([members[b][0]])
    parts = absorb_clusters(np.array(clusters), np.array(near), 2)
    assert parts[1] == parts[2] != parts[0]


@pytest.mark.parametrize("merge", [merge_clusters, absorb_clusters])
def test_too_few_clusters_cannot_be_merged(merge):
    with pytest.raises(ValueError, match="Only 1 clusters"):
        merge(np.zeros(20, int), np.zeros((20, 4), int), 3)


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
