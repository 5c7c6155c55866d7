"""Tables of mixed columns against pandas's dummies and scikit-learn's encoders, and their files."""

import dataclasses
import unicodedata

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import zoo
from zoo.data import columns as encodings
from zoo.data import load
from zoo.runs.run import evaluate, read_data, train

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": RANDOM.normal(40, 10, 60).round(1),
        "colour": RANDOM.choice(["red", "green", "blue"], 60),
        "member": RANDOM.random(60) < 0.3,
        "visits": RANDOM.poisson(3, 60),
        "income": RANDOM.lognormal(8, 1, 60),
    }
)
COUNTED = {"visits": "poisson"}


def column(x, columns, name):
    return x[:, columns.names.index(name)]


def test_numbers_are_scikit_learns_standard_scaler():
    columns = encodings.fit(FRAME)
    x = columns.transform(FRAME)
    numbers = ["age", "visits", "income"]
    expected = StandardScaler().fit_transform(FRAME[numbers])
    found = np.stack([column(x, columns, name) for name in numbers], axis=1)
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_categories_are_pandas_dummies_and_scikit_learns_one_hot():
    columns = encodings.fit(FRAME)
    places = [i for i, name in enumerate(columns.names) if name.startswith("colour=")]
    found = columns.transform(FRAME)[:, places]
    dummies = pd.get_dummies(FRAME["colour"], prefix="colour", prefix_sep="=", dtype="float32")
    assert [columns.names[i] for i in places] == list(dummies.columns)
    assert_array_equal(found, dummies.to_numpy())
    assert_array_equal(found, OneHotEncoder().fit_transform(FRAME[["colour"]]).toarray())


@pytest.mark.parametrize("as_table", [lambda f: f, dict, lambda f: f.to_dict("list")])
def test_a_frame_comes_back(as_table, tmp_path):
    fitted = encodings.fit(as_table(FRAME), kinds=COUNTED)
    fitted.save(tmp_path / "columns.json")
    columns = encodings.load(tmp_path / "columns.json")
    assert columns == fitted
    back = columns.inverse_transform(columns.transform(as_table(FRAME)))
    assert list(back.columns) == list(FRAME.columns)
    pd.testing.assert_frame_equal(back, FRAME, check_dtype=False, rtol=1e-5)
    assert back["member"].dtype == bool


def test_of_a_yes_and_no_counts_whether_it_is_above_a_half():
    columns = encodings.fit({"member": ["n", "y"]}, kinds={"member": "bernoulli"})
    x = [[-0.7], [0.2], [0.5], [0.51], [1.6]]
    assert columns.values(x)["member"].tolist() == ["n", "n", "n", "y", "y"]


def test_kinds_are_found_and_named():
    found = {each.name: each.kind for each in encodings.fit(FRAME, {"income": "leave out"}).columns}
    kinds = {"age": "normal", "colour": "categorical", "member": "bernoulli", "visits": "normal"}
    assert found == kinds
    flags = encodings.fit({"flag": [0, 1, 1], "group": [3, 5, 3]}, {"group": "categorical"})
    assert [each.kind for each in flags.columns] == ["bernoulli", "categorical"]
    assert flags.names == ("flag", "group=3", "group=5")
    back = flags.values(flags.transform({"flag": [1], "group": [5]}))
    assert back["group"].tolist() == [5] and back["flag"].tolist() == [1]


def test_levels_of_pandas_types_and_missing_cells():
    frame = pd.DataFrame(
        {
            "a": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.Categorical(["x", None, "y"]),
            "c": [None, True, False],
            "d": [1.0, 2.0, 3.0],
        }
    )
    columns = encodings.fit(frame, missing="nan")
    x = columns.transform(frame)
    gone = np.isnan(x)
    assert_array_equal(gone.sum(axis=0), [1, 1, 1, 1, 0])
    assert_array_equal(np.flatnonzero(gone.any(axis=1)), [0, 1])
    values = columns.values(x)
    assert values["b"].tolist() == ["x", None, "y"] and values["c"].tolist() == [None, True, False]
    assert_allclose(values["a"], [1, np.nan, 3])


REFUSED = {
    "missing": (
        {"a": [1.0, None]},
        {},
        r"misses 1 of 2 values in the column 'a', the first in row 1",
    ),
    "unknown": ({"a": [1, 2]}, {"kinds": {"b": "normal"}}, "has no column 'b'"),
    "no names": (
        {"a": [1, 2]},
        {"kinds": "{a: normal}"},
        "kinds must name columns, as in {'visits'",
    ),
    "kind": (
        {"a": [1, 2]},
        {"kinds": {"a": "gaussian"}},
        "Unknown kind of column 'a' 'gaussian'.*leave out",
    ),
    "names": ({"a": [f"p{i}" for i in range(40)]}, {}, "holds 40 texts in 40 rows, and is hardly"),
    "dates": ({"a": np.array(["2020-01-01"], "M8[D]")}, {}, "'a' of The table holds dates"),
    "objects": ({"a": [[1], [2, 3]]}, {}, "holds list; expected numbers, texts"),
    "text": (
        {"a": ["x", "y"]},
        {"kinds": {"a": "normal"}},
        "holds 'x'; the kind 'normal' is one of",
    ),
    "three": ({"a": [1, 2, 3]}, {"kinds": {"a": "bernoulli"}}, "3 different values; a 'bernoulli'"),
    "nothing": ({"a": [None, None]}, {}, "holds no value at all"),
    "empty": ({}, {}, "has no columns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_encoded_is_refused(case):
    table, options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        encodings.fit(table, **options).transform(table)


LATER = {
    "level": (
        {"colour": ["black"] * 60},
        "'colour' of The table holds 'black' in row 0; expected one",
    ),
    "word": ({"age": ["old"] * 60}, "'age' of The table holds 'old' in row 0; expected a number"),
    "fraction": ({"visits": [0.5] * 60}, "holds 0.5 in row 0; expected a count"),
    "negative": ({"visits": [-1] * 60}, "holds -1 in row 0; expected a count"),
    "infinite": ({"age": [np.inf] * 60}, "holds inf in row 0; expected a finite number"),
}


@pytest.mark.parametrize("case", LATER)
def test_rows_that_do_not_fit_are_refused(case):
    changed, message = LATER[case]
    columns = encodings.fit(FRAME, COUNTED)
    with pytest.raises(ValueError, match=message):
        columns.transform(FRAME.assign(**changed))


def test_a_table_of_texts_is_read_and_split(tmp_path):
    FRAME.assign(label=RANDOM.choice(["a", "b"], 60)).to_csv(tmp_path / "t.csv", index=False)
    train, test = (load(tmp_path / "t.csv", split, kinds=COUNTED) for split in ("train", "test"))
    assert (len(train), len(test), train.classes) == (48, 12, ("a", "b"))
    assert train.columns == test.columns
    # Standardized by the rows that train, whichever split is read.
    assert_allclose(column(train.inputs, train.columns, "age").mean(), 0, atol=1e-6)
    assert_allclose(column(train.inputs, train.columns, "age").std(), 1, rtol=1e-5)
    whole = load(tmp_path / "t.csv", "all", kinds=COUNTED)
    back = whole.columns.inverse_transform(whole.inputs)
    pd.testing.assert_frame_equal(back, FRAME, check_dtype=False, rtol=1e-5)
    train.columns.save(tmp_path / "c.json")
    again = load(tmp_path / "t.csv", "all", columns=tmp_path / "c.json")
    assert_array_equal(again.inputs, whole.inputs)


def test_parquet_is_the_same_table(tmp_path):
    pytest.importorskip("pyarrow")
    FRAME.assign(label=1).to_parquet(tmp_path / "t.parquet")
    FRAME.assign(label=1).to_csv(tmp_path / "t.csv", index=False)
    first, second = (load(tmp_path / name, "train") for name in ("t.parquet", "t.csv"))
    assert first.columns == second.columns
    assert_allclose(first.inputs, second.inputs, atol=1e-6)
    assert_array_equal(first.labels, second.labels)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        load(tmp_path / "bad.parquet")


def test_hdf5_holds_arrays(tmp_path):
    h5py = pytest.importorskip("h5py")
    x = RANDOM.random((20, 6)).astype("float32")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"], file["deep/er"] = x, [b"cat", b"dog"] * 10, x[:, :3]
    data = load(tmp_path / "a.h5", "all")
    assert_array_equal(data.inputs, x)
    assert data.classes == ("cat", "dog")
    assert load(tmp_path / "a.h5", "all", inputs="deep/er").inputs.shape == (20, 3)
    with pytest.raises(ValueError, match=r"has no array 'z'; it holds deep/er, x, y"):
        load(tmp_path / "a.h5", inputs="z")


def test_what_a_column_of_texts_may_be(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n1,yes,true\n2,no,FALSE\n3,?,true\n")
    refused = pytest.raises(ValueError, match=r"misses 1 of 3 values in the column 'b', .* row 2")
    with pytest.warns(UserWarning, match="the texts of b are read as categories"), refused:
        load(tmp_path / "t.csv", "all")
    with pytest.warns(UserWarning, match="read as categories"):
        data = load(tmp_path / "t.csv", "all", missing="nan")
    assert data.columns.names == ("a", "b=no", "b=yes", "c")
    assert_array_equal(np.isnan(data.inputs).sum(axis=0), [0, 1, 1, 0])
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\nthree,x\n")  # a mistake among numbers
    with pytest.raises(
        ValueError, match=r"'a' holds numbers and texts, such as 'three' in example 2"
    ):
        load(tmp_path / "t.csv", "all")
    found = load(tmp_path / "t.csv", "all", kinds={"a": "categorical"}, label_column="b")
    assert found.columns.names == ("a=1", "a=2", "a=three")


def table(path, *rows):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


MIXED = [f"{height},{'ab'[height % 2]}" for height in range(7, 27)]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["p,s", *MIXED], {"scale": 255}, "scale is for a table of numbers alone"),
        (
            ["h;kind;visits", *(f"1,{i};{'ab'[i % 2]};{i}" for i in range(20))],
            {"delimiter": ";", "label_column": "kind", "kinds": {"visits": "poisson"}},
            "column 'h' holds numbers with commas, such as '1,0'",
        ),
        (
            ["h;ok", *(f"1,{i};{i % 2 == 0}" for i in range(20))],
            {"delimiter": ";"},
            "column 'h' holds numbers with commas",
        ),
        (["day,v", *(f"2024-01-{1 + i % 3:02},{i}" for i in range(20))], {}, "'day' holds dates"),
        (
            ["name,2020,2021", *(f"{'ab'[i % 2]},{i},3" for i in range(9))],
            {},
            "has 'name' in its place",
        ),
        (
            ["2020,2021,name", *(f"{i},3,{'ab'[i % 2]}" for i in range(9))],
            {"label_column": -1},
            "has 'name' in its place. Say header=True",
        ),
        (
            ["v,s", "1_000,a", "2,b", "3,a"],
            {},
            "column 'v' holds numbers and texts, such as '1_000'",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*read as categories")
def test_what_a_table_may_not_mean_is_asked(rows, options, message, tmp_path):
    path = table(tmp_path / "t.csv", *rows)
    with pytest.raises(ValueError, match=message):
        load(path, "all", **options)


@pytest.mark.filterwarnings("ignore:.*read as categories")
def test_lines_without_names_may_begin_with_a_text(tmp_path):
    assert len(load(table(tmp_path / "t.csv", *MIXED), "all", label_column=-1)) == 20
    path = table(tmp_path / "u.csv", "only,1.5", *(f"{'ab'[i % 2]},{i}" for i in range(9)))
    assert len(load(path, "all", header=False)) == 10


def test_levels_that_are_written_differently_are_different_and_stay(tmp_path):
    codes = ["01", "1", "1.0", "001"] * 4
    path = table(tmp_path / "z.csv", "zip,v", *(f"{c},{i}" for i, c in enumerate(codes)))
    found = load(path, "all", kinds={"zip": "categorical"})
    assert found.columns.columns[0].levels == ("001", "01", "1", "1.0")
    found.columns.save(tmp_path / "z.json")
    again = load(path, "all", columns=tmp_path / "z.json")
    assert_array_equal(again.inputs, found.inputs)
    with pytest.raises(ValueError, match="missing belongs to columns that are fitted"):
        load(path, "all", columns=tmp_path / "z.json", missing="nan")


@pytest.mark.filterwarnings("ignore:.*read as categories")
def test_two_forms_of_letters_with_accents_are_one_level(tmp_path):
    names = [unicodedata.normalize(form, "Orl\u00e9ans") for form in ("NFC", "NFD")] + ["Paris"]
    rows = [f"{name},{i}" for i, name in enumerate(names * 4)]
    found = load(table(tmp_path / "t.csv", "town,v", *rows), "all")
    assert len(found.columns.columns[0].levels) == 2 and (found.inputs[:, 0].sum() == 8)


def test_columns_of_other_lengths_and_of_lists_are_named():
    with pytest.raises(ValueError, match=r"The column 'b' of .* has 2 rows, and 'a' has 3"):
        encodings.fit({"a": [1, 2, 3], "b": ["x", "y"]}).transform(
            {"a": [1, 2, 3], "b": ["x", "y"]}
        )
    with pytest.raises(ValueError, match=r"'a' of .* holds list; expected numbers"):
        encodings.fit(pd.DataFrame({"a": [[1], [2], [3]]}))


def test_an_index_with_a_name_is_a_column_of_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    FRAME.set_index("age").to_parquet(tmp_path / "t.parquet")
    assert "age" in load(tmp_path / "t.parquet", "all").columns.names


def encoded(path, factor=1.0, levels="ab", **options):
    random = np.random.default_rng(0).normal(size=30)
    rows = [f"{factor * v:.5f},{levels[i % 2]}" for i, v in enumerate(random)]
    return load(table(path, "v,s", *rows), "all", **options)


@pytest.mark.filterwarnings("ignore:.*read as categories")
def test_a_model_takes_tables_by_the_transformation_of_the_first(tmp_path):
    first = encoded(tmp_path / "first.csv")
    likelihood = first.columns.likelihood()
    model = zoo.create("vae", (3,), latents=2, hidden=(4,), likelihood=likelihood)
    codes = model.encode(first)
    model.save(tmp_path / "model.keras")
    model = zoo.load_model(tmp_path / "model.keras")
    again = load(tmp_path / "first.csv", "all", columns=first.columns)
    assert_allclose(model.encode(again), codes, atol=1e-6)
    for name, options in (("far", {"factor": 100.0}), ("other", {"levels": "xy"})):
        with pytest.raises(
            ValueError, match=r"encoded otherwise than the first .*columns=first\.columns"
        ):
            model.encode(encoded(tmp_path / f"{name}.csv", **options))


@pytest.mark.filterwarnings("ignore:.*read as categories")
def test_a_run_keeps_how_its_table_is_encoded(tmp_path):
    """Where the table has grown, and the SavedModel that lies beside it is replaced."""
    rows = [f"{age},{'ab'[age % 2]}" for age in range(40)]
    path = table(tmp_path / "t.csv", "age,s", *rows)
    options = {"latents": 2, "hidden": [4]}

    def go(epochs, **how):
        config = zoo.runs.RunConfig(
            model="vae", dataset=str(path), options=options, epochs=epochs, evaluate="none"
        )
        return train(config, tmp_path / "run", say=lambda text: None, **how).folder

    folder = go(1)
    kept, served = folder.columns.read_bytes(), folder.saved_model / "saved_model.pb"
    before = served.stat().st_mtime_ns
    table(path, "age,s", *rows, *(f"{age},{'ab'[age % 2]}" for age in range(500, 560)))
    go(2, resume=True)
    assert served.stat().st_mtime_ns > before and folder.columns.read_bytes() == kept
    assert (folder.saved_model / "columns.json").read_bytes() == kept
    data, _ = read_data(zoo.runs.RunConfig.read(folder.path), folder.columns)
    assert data.columns == encodings.load(folder.columns)
    evaluate(folder.path, level="none")
    assert folder.columns.read_bytes() == kept


def test_a_table_becomes_a_run_that_speaks_in_its_names(tmp_path):
    """The command line's part of it: likelihood, transformation and errors by column, without training."""
    from zoo.runs.run import settled

    FRAME.to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(UserWarning, match="read as categories"):
        data = load(tmp_path / "t.csv", "train", kinds=COUNTED)
    config = settled(zoo.runs.RunConfig(model="vae", dataset="t.csv"), data)
    assert config.options["likelihood"] == data.columns.likelihood()
    chosen = zoo.runs.RunConfig(model="vae", dataset="t.csv", options={"likelihood": "normal"})
    filled = {"epochs": config.epochs, "batch_size": config.batch_size}
    assert settled(chosen, data) == dataclasses.replace(chosen, **filled)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 123.456, -7.0])
@pytest.mark.parametrize("rows", [10, 100, 1000])
def test_a_column_that_never_moves_has_the_deviation_1(value, rows):
    """Also where the mean of equal numbers is rounded."""
    columns = encodings.fit({"rate": [value] * rows, "n": list(range(rows))})
    assert columns.columns[0].deviation == 1.0
    later = columns.transform({"rate": [value + 0.01], "n": [0]})[0, 0]
    assert_allclose(later, 0.01, rtol=1e-4)


def test_rows_without_a_label_are_refused(tmp_path):
    pytest.importorskip("pyarrow")
    numbers = np.random.default_rng(0).random((6, 2))
    kinds = ["cat", "dog", None, "cat", "dog", "cat"]
    frame = pd.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "label": kinds})
    for name, each in {"texts": frame, "kinds": frame.astype({"label": "category"})}.items():
        each.to_parquet(tmp_path / f"{name}.parquet")
        with pytest.raises(ValueError, match="1 of 6 rows have no label, the first is row 2"):
            load(tmp_path / f"{name}.parquet", "all")
    frame.to_csv(tmp_path / "t.csv", index=False, na_rep="NaN")
    with pytest.raises(ValueError, match="holds the label nan among texts"):
        load(tmp_path / "t.csv", "all")
