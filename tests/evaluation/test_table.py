from zoo.evaluation import metrics
from zoo.evaluation.metrics import metric
from zoo.evaluation.table import table


def test_a_table_is_aligned():
    result = {
        "probing": {"knn": 0.5, "few_label_10": {"value": 0.25, "low": 0.2, "high": 0.3}},
        "sparsity": {"l0": 3.0},
        "skipped": {"density": "an array of codes has no posterior " + "and so on " * 10},
        "details": {"probing": {"array": [1]}},
    }
    text = table(result, "a title")
    assert text.splitlines()[:9] == [
        "a title",
        "",
        "probing",
        "  k-NN, accuracy               0.5000                    higher",
        "  10 labels a class, accuracy  0.2500  [0.2000, 0.3000]  higher",
        "",
        "sparsity",
        "  active units in a code (L0)       3",
        "",
    ]
    assert text.splitlines()[9:11] == [
        "left out",
        "  density  an array of codes has no posterior and so on and so on and so on and so on and so on and",
    ]
    assert "array" not in text.replace("an array", "")
    assert max(map(len, text.splitlines())) <= 100


def test_metrics_of_clusterings_are_named_after_the_way():
    assert metric("model_nmi")[:2] == ("model: NMI", "higher")
    assert metric("few_label_1").label == "1 label a class, accuracy"
    assert metric("something_else") == ("something else", "", "")


def test_every_metric_has_a_label_and_a_text_of_its_own():
    known = [metric(name) for name in metrics._METRICS]
    known += [metric(f"kmeans_{name}") for name in metrics._CLUSTERING]
    known += [metric(f"few_label_{k}") for k in (1, 10, 100)]
    for values in zip(*((m.label, m.text) for m in known), strict=True):
        assert len(set(values)) == len(known)
        assert all(value == value.strip() and "_" not in value for value in values)
    assert all(m.text.endswith(".") for m in known)
    assert metric("density/kl") == metric("val_kl")
    assert metric("log_likelihood_standard_error").better == ""
