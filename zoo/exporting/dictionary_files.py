"""Sparse dictionaries in the folders of SAELens and of sparsify, written and read without PyTorch.

Weights are written for activations as they are: b and s of the encoder are folded into them, which changes
nothing, since a code of s f times the atoms is what f with the scale s is.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import BatchTopK, Deterministic, GatedCode, JumpReLU, TopK
from zoo.exporting import safetensors
from zoo.files import read_json, write_json
from zoo.models.sparse_dictionary import sparse_dictionary
from zoo.networks import Centred, Dictionary
from zoo.registry import one_of

SAE_LENS, SPARSIFY = "sae_lens", "sparsify"
_WEIGHTS = {SAE_LENS: "sae_weights.safetensors", SPARSIFY: "sae.safetensors"}
_PICKLES = (".pt", ".pth", ".pkl", ".bin", ".ckpt")
_FACTORS = {"scaling_factor", "finetuning_scaling_factor"}
Weights = dict[str, np.ndarray]


def write_dictionary(model: Autoencoder, folder: str | os.PathLike, form: str = SAE_LENS) -> None:
    """Write a sparse dictionary of vectors for another library.

    Args:
        model: ReLU, gated, top-k, batch top-k (as JumpReLU) or JumpReLU, over a `Centred` encoder.
        folder: what to write to; made where it is not there.
        form: "sae_lens" (cfg.json and sae_weights.safetensors) or "sparsify" (sae.safetensors; top-k only).

    Raises:
        ValueError: for a model that the form has no place for.

    Warns:
        UserWarning: for a model that divides bytes, whose files take what comes of it.

    Example:
        >>> from zoo.exporting.dictionary_files import read_dictionary, write_dictionary
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> write_dictionary(model, "sae")
        >>> x = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
        >>> np.allclose(read_dictionary("sae").reconstruct(x), model.reconstruct(x), atol=1e-5)
        True
    """
    one_of(form, "form of files", _WEIGHTS)
    if not isinstance(model.encoder, Centred) or not isinstance(model.decoder, Dictionary):
        raise ValueError(
            "Other libraries hold dictionaries with a bias that encoder and decoder share; received "
            f"{type(model.encoder).__name__} and {type(model.decoder).__name__}. Use export() for others."
        )
    if len(model.event_shape) > 1 or model.decoder.offset is not model.encoder:
        raise ValueError(
            f"Other libraries hold dictionaries of vectors that reconstruct their input; received one of "
            f"{model.event_shape}, target {model.target_shape}. Use export() for other models."
        )
    divisor = model.intake.scales["x"].divisor
    if divisor not in (None, 1):
        warnings.warn(
            f"The model divides bytes by {divisor:g}, for which these files have no place: give what reads "
            f"them x / {divisor:g}.",
            stacklevel=2,
        )
    architecture, weights, options = _folded(model)
    d_in, d_sae = weights["W_enc"].shape
    if form == SPARSIFY:
        if architecture != "topk":
            raise ValueError(f"sparsify has top-k dictionaries only; received {architecture}.")
        config: dict[str, Any] = {
            "activation": "topk",
            "expansion_factor": max(d_sae // d_in, 1),
            "normalize_decoder": model.decoder.unit_norm,
            "num_latents": d_sae,
            "k": options["k"],
            "multi_topk": False,
            "skip_connection": False,
            "transcode": False,
            "d_in": d_in,
        }
        weights = {
            "encoder.weight": weights["W_enc"].T,
            "encoder.bias": weights["b_enc"],
            "W_dec": weights["W_dec"],
            "b_dec": weights["b_dec"],
        }
    else:
        config = {
            "architecture": architecture,
            "d_in": d_in,
            "d_sae": d_sae,
            "dtype": "float32",
            "device": "cpu",
            "apply_b_dec_to_input": True,
            "normalize_activations": "none",
            "reshape_activations": "none",
            "metadata": {"trained_with": "latent-zoo", "formula": model.formula},
            **options,
        }
    folder = Path(folder)
    safetensors.write(folder / _WEIGHTS[form], weights)
    write_json(folder / "cfg.json", config)


def read_dictionary(folder: str | os.PathLike) -> Autoencoder:
    """The model of a folder that SAELens, sparsify or `write_dictionary` wrote.

    Args:
        folder: with cfg.json and a safetensors file; its architecture may be standard, gated, topk or
            jumprelu. Files of SAELens before 6.0 are read too.

    Returns:
        A built model, of unit atoms where they are.

    Raises:
        ValueError: for pickles, other architectures, or activations that were scaled and not folded.

    Example:
        >>> from zoo.exporting.dictionary_files import read_dictionary, write_dictionary
        >>> write_dictionary(zoo.create("jump_relu_sae", (6,), latents=12, target_l0=3), "found")
        >>> read_dictionary("found").units
        12
    """
    folder = Path(folder)
    form = next((f for f, name in _WEIGHTS.items() if (folder / name).is_file()), None)
    if form is None or not (folder / "cfg.json").is_file():
        pickles = [p.name for p in folder.glob("*") if p.suffix in _PICKLES]
        hint = f" {pickles[0]} is a pickle, which runs code when it is read." if pickles else ""
        raise ValueError(
            f"{folder} must hold cfg.json and {' or '.join(_WEIGHTS.values())}.{hint} Save it as safetensors."
        )
    config = read_json(folder / "cfg.json", "configuration")
    weights = safetensors.read(folder / _WEIGHTS[form])
    if form == SPARSIFY:
        config, weights = _from_sparsify(config, weights)
    else:
        config = _from_older(config)
    _refuse(config)
    if "log_threshold" in weights:
        weights["threshold"] = np.exp(weights.pop("log_threshold"))
    own = {"gated": {"b_gate", "b_mag", "r_mag"}, "jumprelu": {"b_enc", "threshold"}}
    _need(weights, {"W_enc", "W_dec", "b_dec", *own.get(config["architecture"], {"b_enc"})})
    # A code times its factor is what its atom is multiplied by.
    for name in _FACTORS & weights.keys():
        weights["W_dec"] = weights["W_dec"] * weights.pop(name).reshape(-1, 1)
    return _built(config, {name: w.astype(np.float32) for name, w in weights.items()})


def _folded(model: Autoencoder) -> tuple[str, Weights, dict[str, Any]]:
    """The architecture, the weights for activations as they are, and further configuration."""
    scale = float(np.asarray(model.encoder.scale)[0])
    bottleneck: Any = model.bottleneck
    write = _WRITERS.get(type(bottleneck))
    if write is None:
        known = ", ".join(kind.__name__ for kind in _WRITERS)
        raise ValueError(
            f"The bottleneck must be one of {known}; received {type(bottleneck).__name__}."
        )
    kernel, units = bottleneck.dense.kernel.numpy(), bottleneck.units
    bias = bottleneck.dense.bias.numpy() if bottleneck.dense.use_bias else np.zeros(units)
    shared = {
        "W_enc": np.float32(kernel),
        "W_dec": np.asarray(model.decoder.atoms),
        "b_dec": np.asarray(model.encoder.centre),
    }
    architecture, own, options = write(bottleneck, (scale * bias).astype(np.float32), scale)
    return architecture, {**shared, **own}, options


def _standard(bottleneck: Any, bias: np.ndarray, scale: float) -> tuple[str, Weights, dict]:
    del scale
    activation = bottleneck.dense.activation.__name__
    if activation != "relu":
        raise ValueError(f"A standard dictionary has the activation relu; received {activation!r}.")
    return "standard", {"b_enc": bias}, {}


def _top_k(bottleneck: Any, bias: np.ndarray, scale: float) -> tuple[str, Weights, dict]:
    del scale
    plain = isinstance(bottleneck.k, int) and bottleneck.dense.activation.__name__ == "relu"
    if not plain or bottleneck.alpha != 1 or bottleneck.select != "value":
        raise ValueError(
            "A top-k dictionary of other libraries has a fixed k, activation='relu', alpha=1 and "
            f"select='value'; received k={bottleneck.k!r}, alpha={bottleneck.alpha} and "
            f"select={bottleneck.select!r}."
        )
    return "topk", {"b_enc": bias}, {"k": bottleneck.k, "rescale_acts_by_decoder_norm": False}


def _jump_relu(bottleneck: Any, bias: np.ndarray, scale: float) -> tuple[str, Weights, dict]:
    threshold = bottleneck.threshold if isinstance(bottleneck, BatchTopK) else bottleneck.thresholds
    thresholds = np.full(bottleneck.units, scale, np.float32) * np.asarray(threshold)
    return "jumprelu", {"b_enc": bias, "threshold": thresholds}, {}


def _gated(bottleneck: Any, bias: np.ndarray, scale: float) -> tuple[str, Weights, dict]:
    own = {"b_gate": bias, "b_mag": np.float32(scale * np.asarray(bottleneck.bias))}
    return "gated", {**own, "r_mag": np.asarray(bottleneck.log_gain)}, {}


_WRITERS: dict[type, Callable[[Any, np.ndarray, float], tuple[str, Weights, dict]]] = {
    Deterministic: _standard,
    TopK: _top_k,
    BatchTopK: _jump_relu,
    JumpReLU: _jump_relu,
    GatedCode: _gated,
}


def _from_sparsify(config: dict, weights: Weights) -> tuple[dict, Weights]:
    for name in ("transcode", "skip_connection", "signed"):
        if config.get(name):
            raise ValueError(f"Dictionaries of sparsify with {name} are not read.")
    one_of(config.get("activation", "topk"), "activation of sparsify", ["topk"])
    _need(weights, {"encoder.weight", "encoder.bias", "W_dec", "b_dec"})
    found = {
        "W_enc": weights["encoder.weight"].T,
        "b_enc": weights["encoder.bias"],
        "W_dec": weights["W_dec"],
        "b_dec": weights["b_dec"],
    }
    return {"architecture": "topk", "k": config.get("k"), "apply_b_dec_to_input": True}, found


def _from_older(config: dict) -> dict:
    """What SAELens before 6.0 wrote, as it writes now: top-k stood under "standard"."""
    config = {"architecture": "standard", **config}
    activation = config.get("activation_fn", config.get("activation_fn_str", "relu"))
    if config["architecture"] == "standard":
        one_of(activation, "activation_fn", ["relu", "topk"])
        config["architecture"] = "topk" if activation == "topk" else "standard"
    if config["architecture"] == "topk" and "k" not in config:
        config["k"] = (config.get("activation_fn_kwargs") or {}).get("k")
    if config.get("normalize_activations") is False:
        config["normalize_activations"] = "none"
    return config


def _need(weights: Weights, names: set[str]) -> None:
    missing = ", ".join(sorted(names - weights.keys()))
    if missing:
        raise ValueError(
            f"A dictionary of this architecture must have the weights {', '.join(sorted(names))}; its file "
            f"lacks {missing}."
        )


def _refuse(config: dict) -> None:
    one_of(config["architecture"], "architecture", ["standard", "gated", "topk", "jumprelu"])
    if config["architecture"] == "topk" and config.get("k") is None:
        raise ValueError(
            "A topk dictionary must have its k in cfg.json; received none. Add it there."
        )
    for name, expected in (
        ("normalize_activations", "none"),
        ("reshape_activations", "none"),
        ("rescale_acts_by_decoder_norm", False),
    ):
        if config.get(name, expected) not in (expected, None):
            raise ValueError(
                f"{name} must be {expected!r}; received {config[name]!r}. Fold it into the weights first."
            )


def _built(config: dict, weights: Weights) -> Autoencoder:
    d_in, units = weights["W_enc"].shape
    architecture = config["architecture"]
    bottleneck: dict[str, Any] = {
        "standard": {"name": "deterministic", "activation": "relu"},
        "topk": {"name": "top_k", "activation": "relu", "k": config.get("k")},
        "jumprelu": {"name": "jump_relu"},
        "gated": {"name": "gated"},
    }[architecture]
    norms = np.linalg.norm(weights["W_dec"].astype(np.float64), axis=1)
    decoder = Dictionary((d_in,), unit_norm=bool(np.abs(norms - 1).max() < 1e-5))
    model = sparse_dictionary((d_in,), units, bottleneck, decoder=decoder)
    made: Any = model.bottleneck
    bias = weights["b_gate" if architecture == "gated" else "b_enc"]
    if not config.get("apply_b_dec_to_input", True):
        bias = (
            bias + weights["b_dec"] @ weights["W_enc"]
        )  # x enters as it is: undo what Centred takes off
    made.dense.kernel.assign(weights["W_enc"])
    made.dense.bias.assign(bias)
    decoder.kernel.assign(weights["W_dec"])
    encoder: Any = model.encoder
    encoder.set_offset(weights["b_dec"], 1.0)
    if architecture == "jumprelu":
        made.thresholds.assign(weights["threshold"])
    if architecture == "gated":
        made.log_gain.assign(weights["r_mag"])
        own = weights["b_mag"]
        if not config.get("apply_b_dec_to_input", True):
            own = own + np.exp(weights["r_mag"]) * (weights["b_dec"] @ weights["W_enc"])
        made.bias.assign(own)
    return model
