"""What the site writes from docstrings."""

import math
import re

import numpy as np
import pytest
from PIL import Image

from website import facts, reference
from website.api import pages
from website.formula import latex
from website.hooks import generated, outside, relinked
from website.sources import named, sources
from zoo import registry
from zoo.models import function, objective


@pytest.fixture(scope="module")
def site():
    return generated()


def test_every_model_and_part_has_a_page(site):
    assert {f"models/{name}.md" for name in reference.own("model")} <= set(site)
    for kind in reference.KINDS:
        text = site[f"parts/{kind}s.md"]
        assert all(f"\n## {name}\n" in text for name in reference.own(kind)), kind


@pytest.mark.parametrize("name", reference.own("model"))
def test_every_option_of_a_model_is_explained(name):
    row = re.compile(r"^\| `(\w+)` \| .+? \| (.*) \|$", re.MULTILINE)
    rows = dict(row.findall(reference.model_page(name)))
    from zoo.models import options

    assert set(rows) == set(options(name))
    assert not [option for option, text in rows.items() if not text.strip()], name
    assert not [option for option, text in rows.items() if text.startswith("as in `zoo.models")]


@pytest.mark.parametrize("name", reference.own("model"))
def test_every_model_that_names_a_paper_links_to_it(name):
    text = " ".join((function(name).__doc__ or "").split("Args:")[0].split())
    if re.search(r"et al\.|\b(19|20)\d\d\b", text):
        assert named(text), name


@pytest.mark.parametrize("name", reference.own("model"))
def test_every_model_has_a_picture_of_what_it_gives(name):
    picture = reference.ROOT / "docs" / reference.PICTURES / f"{name}.png"
    assert f"(../{reference.PICTURES}/{name}.png)" in reference.model_page(name)
    assert picture.stat().st_size < 60_000
    with Image.open(picture) as shown:
        values = np.asarray(shown.convert("L"))
    assert values.shape[1] > 600
    assert values.std() > 20  # of ink on white


def test_every_model_has_its_parts_and_its_cost():
    found = facts.facts()
    assert set(found) == set(reference.own("model"))
    for name, row in found.items():
        assert int(row["weights"]) > 0 and float(row["step"]) > 0
        for kind, part in (each.split() for each in row["parts"].split("; ")):
            assert registry.lookup(part, kind), name
            assert f"(../parts/{kind}s.md#{part})" in reference.model_page(name)


@pytest.mark.parametrize("name", ["vae", "top_k_sae", "lp_autoencoder", "factor_vae"])
def test_the_parts_and_weights_of_a_model_are_those_of_the_table(name):
    import zoo

    model = zoo.create(name, (8, 8, 1))
    row = facts.facts()[name]
    assert facts.parts_of(model) == row["parts"].split("; ")
    assert int(row["weights"]) == sum(math.prod(v.shape) for v in model.trainable_variables)


def test_results_of_a_model_are_those_of_experiments_that_create_it():
    found = {name: {key for key, *_ in facts.results(name)} for name in reference.own("model")}
    assert found["two_template_vae"] == {"SV-SYN", "SV-TOY"}
    assert "IA-T1" in found["info_ae"]  # by a module beside the experiment's
    assert {"SD-SYN"} <= found["matryoshka_sae"]  # by f"{name}_sae"
    assert not found["transcoder"]


def test_options_of_a_picture_are_options_of_its_model():
    from zoo.models import options

    for name, given in reference.PICTURE_OPTIONS.items():
        assert set(given) <= set(options(name))
        assert f"`{next(iter(given))}=" in reference.model_page(name)


def test_symbols_are_no_emphasis_and_names_in_backticks_stay():
    text = reference._text("z_1 * z_2 in `kl_1` and ``kl_L``, <x>")
    assert text == r"z\_1 \* z\_2 in `kl_1` and ``kl_L``, &lt;x>"


def test_papers_of_all_docstrings_are_in_the_table():
    assert len(sources()) > 80
    assert all(source.link.startswith("http") or not source.link for source in sources())
    two = named(function("jump_relu_sae").__doc__)
    assert "https://arxiv.org/abs/2407.14435" in [source.link for source in two]
    gated = named(function("gated_sae").__doc__)
    assert [source.link for source in gated] == ["https://arxiv.org/abs/2404.16014"]


def test_formulas_are_translated_whole():
    for name in reference.own("model"):
        for line in objective(name).splitlines():
            drawn = latex(line)
            assert drawn.count("{") - drawn.count(r"\{") == drawn.count("}") - drawn.count(r"\}"), (
                name
            )
            for word in re.findall(r"[A-Za-z]{3,}", line.replace("_hat", "")):
                assert word in drawn, (name, word)
    assert latex("sum_{i != j} C_ij^2") == r"\sum _{i\ne j}C_{ij}^{2}"
    assert latex("log 1/K sum_k w_k") == r"\log \frac{1}{K}\sum _{k}w_{k}"


def test_links_that_leave_the_folder_lead_to_pages(site):
    for page, text in site.items():
        for link in re.findall(r"\]\((?!\w+:|#)([^)#]+)", relinked(text, page)):
            assert not link.startswith("../../../"), (page, link)
    assert "zoo/cli" in outside("[a](../zoo/cli)", "guide.md")
    assert "source/zoo/cli.md" in site


def test_the_table_of_models_has_every_model():
    table = (reference.ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert not [name for name in reference.own("model") if f"`{name}`" not in table]


def test_the_citation_names_the_version():
    import zoo

    citation = (reference.ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {zoo.__version__}\n" in citation


def test_every_public_room_has_a_page():
    import zoo

    titles = {title for title, _ in pages().values()}
    assert {f"zoo.{room}" for room in zoo._ROOMS} <= titles
