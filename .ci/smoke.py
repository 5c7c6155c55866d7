"""What must work on every version that setup.py claims: a model of each kind trains, is kept and exported.

.ci/edges runs it in fresh environments.
"""

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import zoo

SHAPE = (8, 8, 1)
# One of each kind of code, objective and critic.
MODELS = {
    "autoencoder": {},
    "vae": {},
    "iwae": {"samples": 3},
    "factor_vae": {"critic_hidden": (8,)},
    "vq_vae": {"codes": 8},
    "top_k_sae": {"target_l0": 2},
    "iaf_vae": {},
    "vade": {"components": 3},
    "info_gan": {},
}


def check(name, options, folder):
    """Train, save, load and export a model."""
    known = zoo.models.options(name)
    small = {"hidden": (16,), "latents": 4}
    options = {**{key: small[key] for key in small if key in known}, **options}
    model = zoo.create(name, SHAPE, seed=0, **options)
    model.compile("adam")
    x = np.random.default_rng(0).random((160, *SHAPE), np.float32)
    losses = model.fit(x, batch_size=32, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all(), losses
    model.save(folder / f"{name}.keras")
    again = zoo.load_model(folder / f"{name}.keras")
    np.testing.assert_allclose(again.encode(x), model.encode(x), rtol=1e-5, atol=1e-6)
    model.export(folder / name)
    served = tf.saved_model.load(str(folder / name))
    np.testing.assert_allclose(served.encode(x).numpy(), model.encode(x), rtol=1e-4, atol=1e-5)


def main():
    names = ("tensorflow", "keras", "tensorflow-probability", "numpy", "scikit-learn")
    where = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"Python {sys.version.split()[0]}, {where}", flush=True)
    assert keras.backend.backend() == "tensorflow"
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, options in MODELS.items():
            try:
                check(name, options, Path(folder))
                print(f"  {name}: works", flush=True)
            except Exception as error:  # all of them are shown
                failed += 1
                print(f"  {name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
