"""Packaging of latent-zoo: the distribution and its extras.

The zoo's own plugins need no entry points: `zoo.registry` reads their names from their sources.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "zoo" / "__init__.py").read_text())[1]
README = HERE / "README.md"

BENCH = ["torch>=2.4", "pythae>=0.1.2", "dictionary_learning>=0.1", "sae-lens>=6.54"]
ONNX = ["tf2onnx>=1.17", "onnx>=1.17", "onnxruntime>=1.20"]
DOCS = ["mkdocs-material>=9.6,<10", "mkdocstrings[python]>=0.29", "latex2mathml>=3.77"]
SWEEP = ["optuna>=4"]
TEST = [
    "tensorboard>=2.18",
    "pytest>=8",
    "pytest-xdist>=3.8",
    "hypothesis>=6.100",
    "pandas>=2",
    "ruff>=0.14,<0.18",
    "basedpyright>=1.31",
    *ONNX,
    *SWEEP,
    "latex2mathml>=3.77",
]

setup(
    name="latent-zoo",
    version=VERSION,
    description="The Keras zoo of autoencoders for sparse and disentangled representations",
    long_description=README.read_text() if README.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=[*find_packages(include=["zoo", "zoo.*"]), "zoo_plugins"],
    package_dir={"zoo": "zoo", "zoo_plugins": "plugins"},
    package_data={
        "zoo": ["py.typed", "visualization/pages/*.html", "presets/*.keras", "presets/*.md"],
        "zoo_plugins": ["py.typed"],
    },
    install_requires=[
        "tensorflow>=2.18,<2.22",
        "keras>=3.8,<4",
        "tensorflow-probability[tf]>=0.25,<0.26",
        "tensorflow-datasets>=4.9.7",
        "importlib_resources>=6",
        # The last ones that Python 3.10 can have; pip alone searches for them for many minutes.
        "etils<1.14; python_version < '3.11'",
        "protobuf<6.33; python_version < '3.11'",
        "setuptools>=68",
        "absl-py>=2.1",
        "numpy>=1.26",
        "scipy>=1.11",
        "scikit-learn>=1.6",
        "matplotlib>=3.8",
        "pillow>=10",
        "jinja2>=3.1",
        "threadpoolctl>=3.1",
    ],
    entry_points={"console_scripts": ["latent-zoo = zoo.cli:main"]},
    extras_require={"test": TEST, "bench": BENCH, "onnx": ONNX, "docs": DOCS, "sweep": SWEEP},
)
