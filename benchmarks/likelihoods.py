"""``python -m benchmarks.likelihoods``: what four models learn here and in pythae, with the same networks.

VAE, IWAE, VampPrior and RAE of 784-200-200-16 units, on the same binarised digits, from weights of the same
distribution, with the same optimizer and as many steps. Of both libraries' models the same estimator gives
-log p(x) in nats on test digits, `zoo.evaluation.density`; beside it stands pythae's own estimate of its
models. Writes docs/results/benchmarks/likelihoods.json after every pair, and goes on from there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

MODELS = ("vae", "iwae", "vamp_vae", "rae_l2")
HIDDEN, LATENTS, BATCH = (200, 200), 16, 100
DRAWS, COMPONENTS = 10, 50  # of the IWAE's bound and the VampPrior, pythae's defaults
OPTIONS = {"iwae": {"samples": DRAWS}, "vamp_vae": {"components": COMPONENTS}}


def ours(name: str, x: np.ndarray, seed: int, epochs: int) -> Any:
    """Our model, trained."""
    import zoo

    shared: dict[str, Any] = {
        "latents": LATENTS,
        "hidden": HIDDEN,
        "activation": "relu",
        "seed": seed,
    }
    if name == "rae_l2":
        shared["likelihood"] = {"name": "squared_error", "activation": "sigmoid"}
    model = zoo.create(name, x.shape[1:], **shared, **OPTIONS.get(name, {}))
    model.compile(zoo.trainer.Adam(1e-3))
    model.fit(x, batch_size=BATCH, epochs=epochs, verbose=0)
    return model


class Theirs:
    """pythae's model, trained by its `BaseTrainer`, with the methods that the estimator asks for."""

    def __init__(self, name: str, x: np.ndarray, seed: int, epochs: int):
        import torch
        from pythae.data.datasets import BaseDataset
        from pythae.trainers import BaseTrainer, BaseTrainerConfig

        self.torch = torch
        torch.manual_seed(seed)
        self.name, self.model = name, _pythae_model(name, int(np.prod(x.shape[1:])))
        data = torch.from_numpy(x.reshape(len(x), -1))
        settings = BaseTrainerConfig(
            output_dir=tempfile.mkdtemp(),
            num_epochs=epochs,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-3,
            seed=seed,
            no_cuda=True,
        )
        logging.disable(logging.WARNING)
        rows = BaseDataset(data, torch.zeros(len(data)))
        quiet = io.StringIO()
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            BaseTrainer(model=self.model, train_dataset=rows, training_config=settings).train()
        self.model = self.model.cpu().eval()

    def own_nll(self, x: np.ndarray, samples: int) -> float:
        """Nats by `get_nll`; its batches must be of as many rows as there are samples."""
        rows = self.torch.from_numpy(x.reshape(len(x), 1, -1))[:, 0]
        with self.torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
            return -float(self.model.get_nll(rows, n_samples=samples, batch_size=samples))

    def codes(self, x: np.ndarray) -> np.ndarray:
        """The codes of an autoencoder, the locations of a VAE."""
        return self._encode(np.asarray(x))[0]

    def decode(self, z: np.ndarray) -> np.ndarray:
        """(batch, 784), in [0, 1]."""
        with self.torch.no_grad():
            code = self.torch.from_numpy(np.asarray(z, np.float32))
            return self.model.decoder(code)["reconstruction"].numpy()

    def posterior(self, x: Any) -> Any:
        """q(z|x), a TFP distribution."""
        import tensorflow as tf

        from zoo.tfp import tfd

        kinds = (tf.float32, tf.float32)
        loc, log_variance = tf.numpy_function(self._encode, [x], kinds)
        loc, log_variance = (tf.ensure_shape(t, (None, LATENTS)) for t in (loc, log_variance))
        return tfd.MultivariateNormalDiag(loc, tf.exp(0.5 * log_variance))

    def conditional(self, z: Any) -> Any:
        """p(x|z), Bernoulli."""
        import tensorflow as tf

        from zoo.tfp import tfd

        found = tf.ensure_shape(tf.numpy_function(self.decode, [z], tf.float32), (None, 784))
        pixels = tf.reshape(tf.clip_by_value(found, 1e-7, 1 - 1e-7), (-1, 28, 28, 1))
        return tfd.Independent(tfd.Bernoulli(probs=pixels, dtype=tf.float32), 3)

    def prior_distribution(self) -> Any:
        """p(z)."""
        from zoo.tfp import tfd

        if self.name != "vamp_vae":
            return tfd.MultivariateNormalDiag(np.zeros(LATENTS, np.float32))
        with self.torch.no_grad():
            rows = self.model.pseudo_inputs(self.model.idle_input).numpy()
        loc, log_variance = self._encode(rows)
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=np.zeros(len(loc), np.float32)),
            tfd.MultivariateNormalDiag(loc, np.exp(0.5 * log_variance)),
        )

    def _encode(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with self.torch.no_grad():
            rows = self.torch.from_numpy(np.asarray(x, np.float32).reshape(len(x), -1))
            found = self.model.encoder(rows)
        return found.embedding.numpy(), found.log_covariance.numpy()


def _pythae_model(name: str, size: int) -> Any:
    from pythae import models
    from torch import nn

    parts = _networks(nn, size)
    shared: dict[str, Any] = {"input_dim": (size,), "latent_dim": LATENTS}
    if name == "rae_l2":
        return models.RAE_L2(models.RAE_L2_Config(**shared), *parts)
    shared["reconstruction_loss"] = "bce"
    if name == "iwae":
        return models.IWAE(models.IWAEConfig(**shared, number_samples=DRAWS), *parts)
    if name == "vamp_vae":
        return models.VAMP(models.VAMPConfig(**shared, number_components=COMPONENTS), *parts)
    return models.VAE(models.VAEConfig(**shared), *parts)


def _networks(nn: Any, size: int) -> tuple[Any, Any]:
    """An encoder and a decoder of pythae's kind, with Keras's first weights."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    def dense(first: int, second: int) -> Any:
        layer = nn.Linear(first, second)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        return layer

    a, b = HIDDEN

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(dense(size, a), nn.ReLU(), dense(a, b), nn.ReLU())
            self.loc, self.log_variance = dense(b, LATENTS), dense(b, LATENTS)

        def forward(self, x: Any) -> Any:
            h = self.body(x)
            return ModelOutput(embedding=self.loc(h), log_covariance=self.log_variance(h))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            body = [dense(LATENTS, b), nn.ReLU(), dense(b, a), nn.ReLU(), dense(a, size)]
            self.body = nn.Sequential(*body, nn.Sigmoid())

        def forward(self, z: Any) -> Any:
            return ModelOutput(reconstruction=self.body(z))

    return Encoder(), Decoder()


def judged(model: Any, x: np.ndarray, reconstructed: np.ndarray, samples: int) -> dict[str, float]:
    """Squared error of a picture's reconstruction, and of a VAE the bounds in nats, on test digits."""
    from zoo.evaluation import density

    found = {"error": float(np.square(x - reconstructed.reshape(x.shape)).sum() / len(x))}
    if model is not None:
        scores: Any = density.scores(density.per_example(model, x, samples=samples))
        found |= {
            "nll": -scores["log_likelihood"],
            "standard_error": scores["log_likelihood_standard_error"],
            "elbo": scores["elbo"],
            "kl": scores["kl"],
        }
    return {name: round(value, 3) for name, value in found.items()}


def pair(
    name: str, x: np.ndarray, test: np.ndarray, seed: int, epochs: int, samples: int
) -> dict[str, dict[str, float]]:
    """Both libraries' models of a name, trained and judged."""
    has_density = name != "rae_l2"
    start = time.process_time()
    own = ours(name, x, seed, epochs)
    middle = time.process_time()
    other = Theirs(name, x, seed, epochs)
    seconds = middle - start, time.process_time() - middle
    found = {
        "ours": judged(own if has_density else None, test, own.reconstruct(test), samples),
        "pythae": judged(
            other if has_density else None, test, other.decode(other.codes(test)), samples
        ),
    }
    if has_density:
        found["pythae"]["own_nll"] = round(other.own_nll(test, samples), 3)
    for row, spent in zip(found.values(), seconds, strict=True):
        row["processor_seconds"] = round(spent, 1)
    return found


def main() -> None:
    """Run what has not been run yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.likelihoods", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--judged", type=int, default=200)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--data_dir", default=None, help="TFDS's folder with MNIST")
    parser.add_argument("--manual_dir", default=None, help="TFDS's folder of downloaded files")
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    arguments = parser.parse_args()
    # First, and Triton with it: behind TensorFlow, whose LLVM is another, it ends the process.
    import torch._dynamo  # noqa: F401  # isort: skip
    import keras  # isort: skip

    import zoo
    from zoo.experiments.training import binarised

    path = Path(arguments.output) / "likelihoods.json"
    sizes = {k: getattr(arguments, k) for k in ("examples", "epochs", "judged", "samples")}
    earlier = json.loads(path.read_text()) if path.is_file() else {}
    runs = earlier["runs"] if earlier.get("sizes") == sizes else []
    words = " ".join(f"--{key}={value}" for key, value in sizes.items())
    command = f"python -m benchmarks.likelihoods --seeds={arguments.seeds} {words}"
    record = {"command": command, **machine(), "sizes": sizes, "runs": runs}
    done = {(run["model"], run["seed"]) for run in runs}
    where = {"data_dir": arguments.data_dir, "manual_dir": arguments.manual_dir}
    parts = (("train", arguments.examples), ("test", arguments.judged))
    pictures = [zoo.data.load("mnist", split, limit=n, **where).inputs for split, n in parts]
    for seed in range(arguments.seeds):
        x, test = (binarised(part, seed) for part in pictures)
        for name in MODELS:
            if (name, seed) in done:
                continue
            keras.backend.clear_session()
            found = pair(name, x, test, seed, arguments.epochs, arguments.samples)
            runs.append({"model": name, "seed": seed, **found})
            path.write_text(json.dumps(record, indent=1))
            print(name, seed, found, flush=True)
    write(path.parent)


if __name__ == "__main__":
    main()
