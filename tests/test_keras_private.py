"""What the zoo uses of Keras without a promise that it stays: a Keras that lacks it is named here."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import NamedTuple

import keras
import pytest

ROOT = Path(__file__).parents[1]
FILES = [*sorted((ROOT / "zoo").rglob("*.py")), *sorted((ROOT / "plugins").glob("*.py"))]


def built(thing):
    """An optimizer or a layer with its weights."""
    if isinstance(thing, keras.Optimizer):
        thing.build([keras.Variable([1.0])])
    return thing


def adam():
    return built(keras.optimizers.Adam())


def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


class Use(NamedTuple):
    """A private attribute of Keras: an object that must have it, why it is used, what it must take."""

    of: object
    why: str
    arguments: tuple[str, ...] | None = None  # None: it is not called


PRIVATE = {
    # Overridden: a Keras that does not call them trains in another way without a word.
    "_maybe_symbolic_build": Use(
        network,
        "everything is built before fit, and Keras's cannot take the values of several replicas",
        ("iterator", "data_batch"),
    ),
    "_get_metrics_result_or_logs": Use(
        network, "Keras takes logs of replicas unweighted where no metric has their name", ("logs",)
    ),
    "_backend_update_step": Use(
        adam,
        "Adam's fused kernel updates each variable as its gradient is there",
        ("grads", "trainable_variables", "learning_rate"),
    ),
    # Called or read.
    "_clip_gradients": Use(adam, "gradients are clipped after their sum over replicas", ("grads",)),
    "_get_variable_index": Use(adam, "the slots of a variable have its index", ("variable",)),
    "_momentums": Use(adam, "the fused kernel updates the first moments in place"),
    "_velocities": Use(adam, "the fused kernel updates the second moments in place"),
    "_distribution_strategy": Use(
        adam,
        "the fused kernel is for one replica; it says whether an optimizer was made for several",
    ),
    "_flatten_layers": Use(
        network, "layers are found within layers; `layers` stops at the first level", ()
    ),
    "_layers": Use(network, "the sub-layers of any layer; `layers` is of models only"),
    "_trainable_variables": Use(network, "a layer's own weights are cast to its own type"),
    "_maybe_autocast": Use(
        lambda: keras.Variable([1.0]),
        "a weight is cast once a step and not once a read",
        ("value",),
    ),
    "_non_trainable_variables": Use(
        network, "what a part keeps from step to step, whatever its `trainable` says"
    ),
    "_initial_epoch": Use(network, "a resumed fit begins at the epoch where it stopped"),
}
# Names that begin with an underscore and are not Keras's.
OURS = {
    "_replace": "of a named tuple",
    "_asdict": "of a named tuple",
    "_refresh": "of zoo.trainer.BlockTrainer, which forgets the traces of settings that were changed",
    # Of zoo.autoencoder, for the files beside it that fit priors and score rows.
    "_batches": "of zoo.Autoencoder",
    "_decoded": "of zoo.Autoencoder",
    "_encoded": "of zoo.Autoencoder",
    "_features": "of zoo.Autoencoder",
    "_prepared": "of zoo.Autoencoder",
}


def own_names(tree):
    """Attributes and methods that the classes of a file give themselves."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield inner.name
                elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                    yield inner.attr
                elif isinstance(inner, ast.AnnAssign | ast.Assign):
                    targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
                    yield from (target.id for target in targets if isinstance(target, ast.Name))


def private(node):
    named = isinstance(node, ast.Attribute) and node.attr.startswith("_")
    return named and not (node.attr.startswith("__") and node.attr.endswith("__"))


TREES = {path: ast.parse(path.read_text()) for path in FILES}
# What the zoo's classes give themselves, to be used by the classes that inherit it.
GIVEN = {name for tree in TREES.values() for name in own_names(tree) if name.startswith("_")}


@pytest.mark.parametrize("name", PRIVATE)
def test_keras_has_it(name):
    use = PRIVATE[name]
    thing = use.of()
    version = f"Keras {keras.__version__}"
    if name == "_initial_epoch":
        thing.compile("sgd", "mse")
        thing.fit(keras.ops.zeros((1, 2)), keras.ops.zeros((1, 1)), verbose=0)
    assert hasattr(thing, name), (
        f"{version}: {type(thing).__name__} has no {name} any more. It is used because {use.why}: "
        "look for what took its place, or hold Keras below this version in setup.py."
    )
    if use.arguments is not None:
        method = getattr(thing, name)
        taken = tuple(inspect.signature(method).parameters)
        assert taken[: len(use.arguments)] == use.arguments, f"{version}: {name} takes {taken}"


def test_keras_calls_what_the_zoo_overrides():
    trainer = inspect.getsource(inspect.getmodule(keras.Model.fit.__wrapped__))
    for name in ("_maybe_symbolic_build", "_get_metrics_result_or_logs"):
        assert f"self.{name}(" in trainer, f"Keras {keras.__version__}: fit does not call {name}"
    update = "".join(inspect.getsource(cls) for cls in keras.Optimizer.__mro__[:-1])
    assert "self._backend_update_step(" in update, f"Keras {keras.__version__}"


def classes():
    """Every class of the zoo and of its plugins that inherits from one of Keras's."""
    for path in FILES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        # The package of the folder `plugins` is called zoo_plugins.
        module = importlib.import_module(re.sub("^plugins", "zoo_plugins", name))
        for cls in vars(module).values():
            if isinstance(cls, type) and cls.__module__ == module.__name__:
                yield cls


def test_every_private_method_of_keras_that_is_overridden_is_listed():
    for cls in classes():
        theirs = [base for base in cls.__mro__ if base.__module__.startswith("keras.")]
        for name in vars(cls):
            if name.startswith("_") and not name.startswith("__"):
                overrides = any(name in vars(base) for base in theirs)
                assert not overrides or name in PRIVATE, f"{cls.__qualname__}.{name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_private_name_is_listed_or_ours(path):
    for node in ast.walk(TREES[path]):
        if not private(node):
            continue
        here = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        ours = node.attr in OURS or (here and node.attr in GIVEN)
        assert ours or node.attr in PRIVATE, (
            f"{path.relative_to(ROOT)}:{node.lineno} uses {ast.unparse(node)}: add it to PRIVATE "
            "with the reason, or use what is public"
        )


def test_the_list_is_not_longer_than_the_code():
    used = {node.attr for tree in TREES.values() for node in ast.walk(tree) if private(node)}
    defined = {
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert set(PRIVATE) <= used | defined
    assert set(OURS) <= used
