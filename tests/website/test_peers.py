"""The page that compares the zoo with other libraries."""

import re

import pytest

from website import peers

# pythae 0.1.2, as its README lists them.
PYTHAE = """AE VAE BetaVAE VAE_LinNF VAE_IAF DisentangledBetaVAE FactorVAE BetaTCVAE IWAE MIWAE PIWAE CIWAE
    MSSSIM_VAE WAE_MMD INFOVAE_MMD VAMP SVAE PoincareVAE Adversarial_AE VAEGAN VQVAE HVAE RAE_L2 RAE_GP
    RHVAE"""


@pytest.fixture(scope="module")
def table():
    return peers.rows()


def test_every_model_of_pythae_has_a_row(table):
    found = {row["theirs"] for row in table if (row["peer"], row["kind"]) == ("pythae", "model")}
    assert found >= set(PYTHAE.split())
    assert {row["peer"] for row in table} == set(peers.PEERS)
    assert {row["kind"] for row in table} <= set(peers.KINDS)


def test_what_is_named_as_ours_is_there_and_is_counted(table):
    for row in table:
        named = peers.parts_of(row["ours"])
        assert bool(named) == (row["ours"] != "-"), row
        if named:
            assert peers.own_lines(row["ours"]) > 0
        else:
            assert row["difference"], row  # a gap is explained
        assert int(row["lines"]) > 0 or not row["files"], row


def test_the_page_has_the_rows_of_the_table(table):
    """Counts change with every line of code, and are those of when the page was written."""

    def uncounted(text):
        return re.sub(r"\| (\d+|-) \|", "| n |", text)

    assert uncounted(peers.PAGE.read_text(encoding="utf-8")) == uncounted(peers.page())


def test_code_is_counted_without_what_is_said():
    source = '"""Said."""\n\nimport a  # why\n\n\nclass B:\n    """Said\n    twice."""\n\n    x = (1,\n2)\n'
    assert peers.code_lines(source) == 4
