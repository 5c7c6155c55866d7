"""A table that goes out and comes back: as many rows and columns, in every way to write it."""

import csv
import io
import itertools
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import zoo
from zoo.cli.settings import named_values
from zoo.data import load
from zoo.data.table_layout import is_number

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 4)).astype(np.float32)
MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def write(path, rows, mark=",", quoting=csv.QUOTE_MINIMAL, before="", end="\n"):
    text = io.StringIO()
    csv.writer(text, delimiter=mark, quoting=quoting, lineterminator=end).writerows(rows)
    path.write_bytes((before + text.getvalue()).encode())
    return path


def rows_of(names, index, label, header_of_index=""):
    """The rows of a table as pandas writes it: names, numbers as text, an index and a label where wanted."""
    head = [*([header_of_index] if index else []), *map(str, names), *(["label"] if label else [])]
    body = [
        [*([name] if index else []), *(repr(float(v)) for v in row), *([i % 3] if label else [])]
        for i, (name, row) in enumerate(zip(index or range(len(X)), X, strict=True))
    ]
    return head, body


INDEX = {
    "none": None,
    "numbers": list(range(7)),
    "shuffled": [3, 1, 0, 6, 5, 2, 4],
    "dates": [f"2024-01-0{day}" for day in range(1, 8)],
}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("label", [False, True])
@pytest.mark.parametrize("index", INDEX)
@pytest.mark.parametrize("names", [range(4), "abcd", ["h\n[m]", 'a "b"', "c,;|\td", " e "]])
def test_round_trip(names, index, label, mark, tmp_path):
    """Rows, columns and labels come back, in every mixture of index, names, blank lines and line ends."""
    head, body = rows_of(names, INDEX[index], label)
    forms = itertools.product(
        ["", "\n", "\r\n\n", "\ufeff", "  \n"], ["\n", "\r\n"], [0, csv.QUOTE_ALL]
    )
    for before, end, quoting in forms:
        path = write(tmp_path / "t.csv", [head, *body], mark, quoting, before, end)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if index == "none" and not label and names == range(4):
                with pytest.raises(
                    ValueError, match=r"0,1,2,3, may be the names .* header=True or"
                ):
                    load(path, "all", delimiter=mark)
                data = load(path, "all", delimiter=mark, header=True)
                assert len(load(path, "all", delimiter=mark, header=False)) == 8
            else:
                data = load(path, "all", delimiter=mark)
        assert data.inputs.shape == X.shape
        np.testing.assert_allclose(data.inputs, X, rtol=1e-6)
        np.testing.assert_array_equal(data.labels, np.arange(7) % 3 if label else None)
        told = [str(each.message) for each in caught]
        assert len(told) == (index != "none")
        assert all("first column has no name and is left out" in each for each in told)


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("names", [None, list("abcd")])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.filterwarnings("ignore:.*first column has no name")
def test_round_trip_of_pandas(index, names, twice, tmp_path):
    """`DataFrame.to_csv` and back, also after pandas itself has read and written the file once more."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=names)
    frame.to_csv(tmp_path / "t.csv", index=index)
    if twice:
        pandas.read_csv(tmp_path / "t.csv").to_csv(tmp_path / "t.csv", index=index)
    unclear = names is None and not index
    data = load(tmp_path / "t.csv", "all", **({"header": True} if unclear else {}))
    np.testing.assert_allclose(data.inputs, X, rtol=1e-6)


@pytest.mark.parametrize("mark", MARKS)
def test_delimiter_by_its_name(mark, tmp_path):
    head, body = rows_of("abcd", None, True)
    path = write(tmp_path / "t.csv", [head, *body], mark)
    for name in (mark, MARKS[mark], MARKS[mark].upper(), *(["\\t"] if mark == "\t" else [])):
        np.testing.assert_allclose(load(path, "all", delimiter=name).inputs, X, rtol=1e-6)


@pytest.mark.parametrize("text", ["\\t", "\t", "tab"])
def test_tab_on_a_command_line(text, tmp_path):
    path = write(tmp_path / "t.csv", [["a", "b"], *X[:, :2]], "\t")
    options = named_values([f"delimiter={text}"], "data")
    assert load(path, "all", **options).inputs.shape == (7, 2)


@pytest.mark.parametrize("delimiter", ["", ",,", "1", ".", '"', "-", "\n", "a", None, 3, ["x"]])
def test_delimiter_is_one_character(delimiter, tmp_path):
    path = write(tmp_path / "t.csv", [["a", "b"], *X[:, :2]])
    with pytest.raises(ValueError, match="delimiter must be one character, or one of"):
        load(path, delimiter=delimiter)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("mark", "given"), itertools.permutations([*MARKS, " "], 2))
def test_another_delimiter_is_told(mark, given, header, tmp_path):
    body = [[f"{value:.3f}" for value in row] for row in X]
    path = write(tmp_path / "t.csv", [[*"wxyz"], *body] if header else body, mark)
    name = {**MARKS, " ": "space"}[mark]
    with pytest.raises(ValueError, match=f"Its cells look separated by a {name}: give delimiter="):
        load(path, "all", delimiter=given)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_decimal_commas_are_refused_with_the_remedy(mark, header, tmp_path):
    body = [[f"{value:.3f}".replace(".", ",") for value in row] for row in X]
    path = write(tmp_path / "t.csv", [[*"wxyz"], *body] if header else body, mark)
    for delimiter in (mark, ","):
        with pytest.raises(
            ValueError,
            match="numbers hold commas; write a point .*" + re.escape(f"sep={mark!r}"),
        ):
            load(path, "all", delimiter=delimiter)


@pytest.mark.parametrize("cell", ["1,000", "1,234,567", "1,234.5", "-2,5", ",5", "1,5e3"])
@pytest.mark.parametrize("mark", MARKS)
def test_commas_in_quoted_numbers_are_refused(cell, mark, tmp_path):
    """Nobody can know whether 1,000 is one or a thousand: the error says both ways."""
    path = write(tmp_path / "t.csv", [["a", "b"], [1, 2], [3, cell]], mark)
    with pytest.raises(
        ValueError, match=r"line 3, column 2 .* decimal comma and nothing for thousands"
    ):
        load(path, "all", delimiter=mark)


@pytest.mark.parametrize("label", ["", "label", "# label"])
def test_header_that_numpy_writes(label, tmp_path):
    """`numpy.savetxt` puts a # before its header, also where that begins with the labels."""
    first = label.startswith("#")
    names = ["label", "a"] if first else ["a", *([label] if label else ["b"])]
    table = np.array([[3, 0], [4, 1], [5, 0]])[:, :: -1 if first else 1]
    np.savetxt(tmp_path / "t.csv", table, "%d", ",", header=",".join(names))
    data = load(tmp_path / "t.csv", "all")
    assert data.inputs.shape == (3, 1 if label else 2)
    np.testing.assert_array_equal(data.inputs[:, 0], [3, 4, 5])
    np.testing.assert_array_equal(data.labels, [0, 1, 0] if label else None)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_line_for_excel_is_no_header(first, tmp_path):
    (tmp_path / "t.csv").write_text(f"{first}\na;label\n1;0\n2;1\n")
    data = load(tmp_path / "t.csv", "all", delimiter=";")
    np.testing.assert_array_equal(data.inputs, [[1], [2]])
    np.testing.assert_array_equal(data.labels, [0, 1])


@pytest.mark.parametrize("missing", ["nan", "NaN"])
@pytest.mark.parametrize("end", ["", ".0"])
def test_missing_labels_are_no_class(missing, end, tmp_path):
    rows = [["x", "label"], [1, f"0{end}"], [2, missing], [3, f"1{end}"]]
    with pytest.raises(ValueError, match="holds the label nan among numbers"):
        load(write(tmp_path / "t.csv", rows), "all")
    rows = [["x", "label"], [1, "Fritz"], [2, "Nan"]]  # a name
    assert load(write(tmp_path / "t.csv", rows), "all").classes == ("Fritz", "Nan")


def test_booleans_are_refused_with_the_remedy(tmp_path):
    for word in ("True", "false"):
        path = write(tmp_path / "t.csv", [["a", "b"], [1, word], [2, 0]])
        with pytest.raises(ValueError, match="Write 0 and 1 for false and true"):
            load(path)


@pytest.mark.parametrize(
    ("cells", "labels", "classes"),
    [
        (["01", "001", "1", "01"], [1, 0, 2, 1], ("001", "01", "1")),
        (["0", "00"], [0, 1], ("0", "00")),
        (["7", "-3", "7"], [7, -3, 7], None),
        (["+1", "1"], [0, 1], ("+1", "1")),
        (["1", "1.0"], [0, 1], ("1", "1.0")),
        ([f"{i}.0" for i in range(12)], [*range(12)], None),
        (["0.50", "1.0"], [0, 1], ("0.50", "1.0")),
        (["010", "9", "0100"], [1, 0, 2], ("9", "010", "0100")),
        (["-0", "0"], [0, 1], ("-0", "0")),
        (["\u0661", "1"], [1, 0], ("1", "\u0661")),
        (["1", "x", "2"], [0, 2, 1], ("1", "2", "x")),
        (["a\nb", "a b", "a,b"], [0, 1, 2], ("a\nb", "a b", "a,b")),
        (["9" * 19, "1"], [1, 0], ("1", "9" * 19)),
    ],
)
def test_labels_that_are_written_differently_are_different(cells, labels, classes, tmp_path):
    rows = [["x", "label"], *([i, cell] for i, cell in enumerate(cells))]
    data = load(write(tmp_path / "t.csv", rows), "all")
    np.testing.assert_array_equal(data.labels, labels)
    assert data.classes == classes
    np.testing.assert_array_equal(data.inputs[:, 0], np.arange(len(cells)))


@pytest.mark.parametrize("name", ["label", "Label", "LABELS"])
def test_label_column_in_any_case(name, tmp_path):
    data = load(write(tmp_path / "t.csv", [["0", name], [1, 5], [2, 6]]), "all")
    np.testing.assert_array_equal(data.labels, [5, 6])


@pytest.mark.parametrize("name", ["target", "Class", "y", "species"])
def test_a_feature_that_may_hold_labels_is_told(name, tmp_path):
    path = write(tmp_path / "t.csv", [["a", name], [1, 5], [2, 6]])
    with pytest.warns(
        UserWarning, match=f"'{name}' is read as a feature; .* label_column='{name}'"
    ):
        assert load(path, "all").inputs.shape == (2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(load(path, "all", label_column=name).labels, [5, 6])


@pytest.mark.parametrize(
    ("head", "options", "message"),
    [
        ("label,Labels,a", {}, "label, Labels; say which one holds the labels"),
        ("a,a,b", {"label_column": "a"}, "2 columns called 'a'; give label_column as an index"),
        ("a,b,2,1", {"label_column": 2, "header": True}, None),
        (
            "a,2,1",
            {"label_column": 2, "header": True},
            "may be the column called '2' or the one at index 2",
        ),
        ("a,b,c", {"label_column": "a", "index_column": 0}, "are one column"),
        ("a,b,c", {"label_column": "d"}, r"must be a column of .*\(a, b, c\)"),
        ("a,b,c", {"index_column": 3}, r"index_column must be a column of .* index from -3 to 2"),
        ("a,b,c", {"label_column": True}, "label_column must be a column"),
        ("a,b,c", {"header": "yes"}, "header must be true, false or None"),
        ("a,2020,2021", {}, "line 1, column 1: .* names the columns, give header=True"),
        (",0.5,0.7", {}, "line 1, column 1: .* names the columns, give header=True"),
        ("0,1,2", {}, "header=True or header=False"),
        ("0,1,kind", {"label_column": -1}, "header=True or header=False"),
        ("2019,2020,2021", {}, "header=True or header=False"),
        ("400.0,402.5,405.0,407.5", {}, "header=True or header=False"),
        (
            "9.997515,9.991645,9.985776,9.979906,9.974037,9.968167,9.962298,9.956428",
            {},
            "header=True or",
        ),
        (",".join(map(str, range(4000, 500, -200))), {}, "header=True or header=False"),
        (",".join(f"{1.3**k:.3f}" for k in range(16)), {}, "header=True or header=False"),
        ("kind,400,410,420", {"label_column": 0}, "header=True or header=False"),
        ("0", {}, "header=True or header=False"),
    ],
)
def test_what_can_be_taken_in_two_ways_is_refused(head, options, message, tmp_path):
    width = head.count(",") + 1
    path = tmp_path / "t.csv"
    path.write_text(
        head + "\n" + "\n".join(",".join(map(str, range(i, i + width))) for i in (3, 4))
    )
    if message is None:
        np.testing.assert_array_equal(load(path, "all", **options).labels, [5, 6])
        return
    with pytest.raises(ValueError, match=message):
        load(path, "all", **options)


@pytest.mark.parametrize("first", ["1,3,2", "1,2,3.001", "0.1,0.2,0.30001", "5,5,5", "1,0", "2,1"])
def test_a_line_of_numbers_is_an_example(first, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"{first}\n{first}\n")
    data = load(path, "all")
    np.testing.assert_allclose(data.inputs, [[*map(float, first.split(","))]] * 2, rtol=1e-6)


def test_header_by_hand(tmp_path):
    path = write(tmp_path / "t.csv", [["a", 2020, 2021], [1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(load(path, "all", header=True).inputs, [[1, 2, 3], [4, 5, 6]])
    path = write(tmp_path / "t.csv", [[0, 1], [1, 0], [0, 1]])
    assert load(path, "all", header=False).inputs.shape == (3, 2)


def test_index_column_by_hand(tmp_path):
    path = write(tmp_path / "t.csv", [["a", "id", "label"], [1, "x7", 0], [2, "x8", 1]])
    for column in ("id", 1, -2, "1"):
        data = load(path, "all", index_column=column)
        np.testing.assert_array_equal(data.inputs, [[1], [2]])
        np.testing.assert_array_equal(data.labels, [0, 1])
    path = write(tmp_path / "t.csv", [["a", "id", "name"], [1, 7, "x"], [2, 8, "y"]])
    for columns in (["id", "name"], (1, -1)):
        np.testing.assert_array_equal(load(path, "all", index_column=columns).inputs, [[1], [2]])
    path = write(tmp_path / "t.csv", [["id", "label"], ["p", 0], ["q", 1]])
    with pytest.raises(ValueError, match="no column of numbers beside its labels and index"):
        load(path, index_column="id")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1,2\n3,nan\n", "line 4, column 2"),
        ("1,2\n\n3,x\n", "line 5, column 2"),
        ('1,2\n"3\n",x\n', "line 5, column 2"),
        ("1,2\n3\n", "line 4: expected 2 cells, received 1"),
        ("1,2\n   \n", "line 4: expected 2 cells, received 1"),
        ("1,2\n,,\n", "line 4: expected 2 cells, received 3"),
        ("", "is empty but for its header"),
    ],
)
def test_faults_are_placed_in_the_file_as_it_stands(body, message, tmp_path):
    """Line numbers count blank lines before the header and breaks within quotes."""
    (tmp_path / "t.csv").write_text("\na,b\n" + body)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "t.csv", "all")


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n".encode("utf-16"), b"a,label\n" + b"1,2\n" * 9000 + b"1,\xe9\n"]
)
def test_text_of_another_encoding_is_refused_with_the_name(content, tmp_path):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.csv cannot be read as a table of text"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("cell", ["1_000", "\uff11\uff12", "\u0663", "1\u066b5"])
def test_numbers_that_only_python_reads_are_refused_at_their_place(cell, tmp_path):
    path = write(tmp_path / "t.csv", [["a", "b"], [1, 2], [3, cell]])
    with pytest.raises(ValueError, match=r"line 3, column 2 \(b\): expected a finite number"):
        load(path, "all")


def test_columns_keep_their_names_and_their_order(tmp_path):
    """Those that are read: neither the index nor the labels; the figures write them, and a model asks."""
    head, body = rows_of("abcd", INDEX["shuffled"], True)
    with pytest.warns(UserWarning, match="first column has no name"):
        data = load(write(tmp_path / "t.csv", [head, *body]), "train")
    assert data.column_names == tuple("abcd") and data.take(slice(2)).column_names == tuple("abcd")
    model = zoo.create("autoencoder", (4,), latents=2, hidden=(3,), likelihood="normal")
    codes = model.encode(data)
    np.testing.assert_array_equal(model.encode(data.inputs), codes)
    order = [2, 0, 1, 3]
    other = [[row[i + 1] for i in order] for row in (head, *body)]
    turned = load(write(tmp_path / "u.csv", other), "train")
    with pytest.raises(ValueError, match="columns in another order than the first table"):
        model.encode(turned)
    bare = load(write(tmp_path / "v.csv", [row[1:5] for row in body]), "train", header=False)
    assert bare.column_names == ()


DAYS = 20240101 + np.arange(7)


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (DAYS, True),
        (1.7e9 + np.arange(7), True),  # seconds since 1970
        (1e9 + np.arange(7) / 7, True),
        (DAYS - 20240000, False),
        (2**23 + np.arange(7), False),  # far, but held exactly
        (np.full(7, 20240101), False),  # of one value there is nothing to lose
    ],
)
def test_columns_that_float32_rounds_away_are_told(column, told, tmp_path):
    path = write(tmp_path / "t.csv", [["day", "b"], *zip(column, X[:, 0], strict=True)])
    table = np.stack([column, X[:, 0]], axis=1).astype(float)
    np.save(tmp_path / "t.npy", table)
    for name in (path, tmp_path / "t.npy"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            load(name, "all")
        said = [str(w.message) for w in caught if "float32 rounds away" in str(w.message)]
        assert len(said) == told
        assert not told or f"the columns {'day' if name == path else 0} lie" in said[0]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=6)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_any_table_comes_back_whole_or_is_refused(data):
    """Of any names, labels, mark, quoting and blank lines: the same rows and groups, or a ValueError."""
    mark = data.draw(st.sampled_from([*MARKS]))
    columns, rows = data.draw(st.integers(1, 3)), data.draw(st.integers(2, 5))
    numbers = data.draw(
        st.lists(
            st.lists(st.floats(-1e6, 1e6, width=32), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
    names = data.draw(st.none() | st.lists(CELLS, min_size=columns, max_size=columns))
    assume(not names or not all(map(is_number, names)))  # no line of numbers is known for a header
    labels = data.draw(st.none() | st.lists(CELLS, min_size=rows, max_size=rows))
    table = [[repr(value) for value in row] for row in numbers]
    if labels is not None:
        table = [[*row, label] for row, label in zip(table, labels, strict=True)]
    if names is not None:
        table.insert(0, [*names, *(["label"] if labels is not None else [])])
    text = io.StringIO()
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    csv.writer(text, delimiter=mark, quoting=quoting, lineterminator=end).writerows(table)
    blank = data.draw(st.sampled_from(["", "\n", "\r\n\r\n"]))
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = Path(place, "t.csv")
        path.write_bytes((blank + text.getvalue()).encode())
        column = -1 if labels is not None else None
        try:
            found = load(path, "all", delimiter=mark, label_column=column)
        except ValueError as error:
            assert str(path) in str(error)
            return
    left_out = any("left out" in str(each.message) for each in caught)
    if not left_out:
        np.testing.assert_array_equal(found.inputs, np.array(numbers, np.float32))
    assert len(found) == rows
    if labels is not None:
        first, second = (
            [group.index(label) for label in group]
            for group in ([label.strip() for label in labels], found.labels.tolist())
        )
        assert first == second
