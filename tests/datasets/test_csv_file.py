import os

import numpy as np
import pandas as pd
import pytest

import kerasteach as kt

POINTS = pd.DataFrame(
    {
        "a": np.random.default_rng(0).normal(size=40).round(3),
        "größe": np.arange(40) * 1.5,
        "target": ["no", "yes"] * 20,
    }
)


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file, of text or bytes, and returns its path."""

    def write(content, name="points.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def lines(header, row, sep="\n"):
    """Return the text of a file of 40 rows."""
    return sep.join([header, *(row(number) for number in range(40))])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-32"])
@pytest.mark.parametrize(("sep", "decimal"), [(",", "."), (";", ","), ("\t", ","), ("|", "."), (";", ".")])
def test_a_table_is_read_however_it_was_written(file, sep, decimal, encoding):
    """Separator, decimal sign and encoding change nothing of the numbers."""
    path = file(POINTS.to_csv(sep=sep, decimal=decimal, index=False).encode(encoding))
    data = kt.datasets.load(path, standardize=False)
    expected = kt.datasets.from_arrays(POINTS, "target", standardize=False)
    assert (data.features, data.classes) == (("a", "größe"), ("no", "yes"))
    assert data.fingerprint() == expected.fingerprint()


def test_what_is_found_out_can_be_said(file):
    """`sep`, `decimal` and `encoding` decide where they are given, and what cannot be is refused by name."""
    path = file('a;b;target\n"1,500";1;0\n2;1;1\n3;1;0\n4;1;1\n'.encode("cp1250"))
    said = kt.datasets.load(path, sep=";", decimal=",", encoding="cp1250", test_fraction=0.5, standardize=False)
    assert sorted([*said.x_train[:, 0], *said.x_test[:, 0]]) == [1.5, 2, 3, 4]
    for argument, value in (("sep", ";;"), ("sep", 5), ("decimal", ";"), ("encoding", "latin-0"), ("encoding", 5)):
        with pytest.raises((ValueError, TypeError), match=f"`{argument}` must be.*Received: {argument}="):
            kt.datasets.load(path, **{argument: value})
    with pytest.raises(ValueError, match=r"text file in utf-8; `encoding` names another"):
        kt.datasets.load(file(b"a,target\n\xe9,1\n"), encoding="utf-8")


def test_spaces_may_separate(file):
    """As `numpy.savetxt` writes a table."""
    path = file(lines("a b target", lambda number: f" {number * number}   {number % 5} {number % 2}"), "points.dat")
    assert kt.datasets.load(path).features == ("a", "b")


def test_a_line_of_excel_names_the_separator(file):
    """`sep=;` is no header."""
    assert kt.datasets.load(file(lines("sep=;\na;b;target", lambda n: f"{n * n};{n % 5};{n % 2}"))).features == (
        "a",
        "b",
    )


@pytest.mark.parametrize("number", ["1,234", "1,234,567", "1.234,5", "12%", "1_0", "0x1A", "5 kg"])
def test_a_number_that_may_mean_two_things_is_refused(file, number):
    """Thousands, units and Python's own notations are text, with the column's name and the value."""
    path = file(lines("a,b,target", lambda n: f'"{number.replace("2", str(n % 10), 1)}",{n % 5},{n % 2}'))
    with pytest.raises(ValueError, match=r"points\.csv must have numbers.*text in a \('"):
        kt.datasets.load(path)


def test_points_and_commas_do_not_mix(file):
    """A file with decimal commas in one column and points in another names both."""
    with pytest.raises(ValueError, match="commas in a, points in b; `decimal`"):
        kt.datasets.load(file(lines("a;b;target", lambda n: f"{n},5;{n}.5;{n % 2}")))


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["None", "Insomnia"], ("Insomnia", "None")),
        (["NA", "null", "None"], ("NA", "None", "null")),
        (["yes ", "yes", " no", "no"], ("no", "yes")),
        (["0.0", "1.0"], ("0", "1")),
        (["True", "False"], ("False", "True")),
    ],
)
def test_classes_are_what_is_written(file, words, classes):
    """Words that mean nothing elsewhere are classes here, without the spaces around them."""
    path = file(lines("a,b,target", lambda n: f"{n * n},{n % 5},{words[n % len(words)]}"))
    assert kt.datasets.load(path).classes == classes


@pytest.mark.parametrize("word", ["?", "NA", "None", "", "NaN", "-", "#N/A", " ? "])
def test_what_is_missing_among_numbers_is_counted_or_dropped(file, word):
    """The error has the counts by column; `missing="drop"` leaves the rows out and says so."""
    path = file(lines("a,b,target", lambda n: f"{n * n},{word if n % 10 == 3 else n % 5},{'xy'[n % 2]}"))
    with pytest.raises(ValueError, match=r'missing="drop".*missing in b \(4\) of 40 rows'):
        kt.datasets.load(path)
    data = kt.datasets.load(path, missing="drop")
    assert len(data.x_train) + len(data.x_test) == 36
    assert "left out 4 of 40 rows" in data.describe()


def test_missing_words_are_counted_by_the_columns_of_the_file(file):
    """Not by the features of 0 and 1 that are made of it."""
    path = file(lines("a,b,target", lambda n: f"{n * n},{['EU', 'US', ''][n % 3]},{'xy'[n % 2]}"))
    with pytest.raises(ValueError, match=r"missing in b \(13\) of 40 rows"):
        kt.datasets.load(path)


@pytest.mark.parametrize("name", ["acid", "fluid", "period", "valid", "grid"])
def test_a_name_that_ends_like_an_identifier_is_a_feature(file, name):
    """Different whole numbers under an ordinary word."""
    path = file(lines(f"{name},b,target", lambda n: f"{n * 17 % 40},{n % 5},{n % 2}"))
    assert kt.datasets.load(path).features == (name, "b")


def test_a_column_without_a_difference_is_named(file):
    """There is nothing to learn from it; it stays, so that the shapes are those of the file."""
    data = kt.datasets.load(file(lines("a,b,target", lambda n: f"{n * n},1,{'xy'[n % 2]}")))
    assert data.features == ("a", "b")
    assert "nothing to learn from b, the same in every row" in data.describe()


def test_a_missing_class_is_missing(file):
    """`?` and nothing are no class."""
    with pytest.raises(ValueError, match=r"missing in target \(20\) of 40 rows"):
        kt.datasets.load(file(lines("a,b,target", lambda n: f"{n * n},{n % 5},{['x', '?', 'y', ''][n % 4]}")))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (",a,b,target", lambda n: f"{n},{n * n},{n % 5},{n % 2}"),
        (",a,b,target", lambda n: f"{n * 7 % 40},{n * n},{n % 5},{n % 2}"),
        (",a,b,target", lambda n: f"Mazda RX{n},{n * n},{n % 5},{n % 2}"),
        ("Id,a,b,target", lambda n: f"{n + 1},{n * n},{n % 5},{n % 2}"),
        ("id,a,b,target", lambda n: f"{842302 + n * 577 % 401},{n * n},{n % 5},{n % 2}"),
        ("row,a,b,target", lambda n: f"{n},{n * n},{n % 5},{n % 2}"),
        ("time,a,b,target", lambda n: f"{n}.0,{n * n},{n % 5},{n % 2}"),
        (",Unnamed: 0,a,b,target", lambda n: f"{n},{n},{n * n},{n % 5},{n % 2}"),
        ("PassengerId,a,b,target", lambda n: f"{892 + n},{n * n},{n % 5},{n % 2}"),
        ("customer_id,a,b,target", lambda n: f"{n * 17 % 40},{n * n},{n % 5},{n % 2}"),
        ("Patient ID,a,b,target", lambda n: f"{n * 17 % 40},{n * n},{n % 5},{n % 2}"),
        ("target,Id,a,b", lambda n: f"{n % 2},{n},{n * n},{n % 5}"),
    ],
)
def test_what_numbers_the_rows_is_left_out_with_a_warning(file, header, row):
    """A saved index and an identifier are no features, in a file and in a frame that was read from it."""
    path = file(lines(header, row))
    with pytest.warns(UserWarning, match=r"points: left out '.*', only numbers or names of the rows"):
        data = kt.datasets.load(path)
    assert data.features == ("a", "b")
    assert "left out" in data.describe()
    with pytest.warns(UserWarning, match="yours: left out"):
        assert kt.datasets.from_arrays(pd.read_csv(path), "target").fingerprint() == data.fingerprint()


def test_columns_are_kept_where_they_are_named(file):
    """`features` chooses the columns, also one that numbers the rows; one that is the only feature stays."""
    path = file(lines("Id,a,b,target", lambda n: f"{n},{n * n},{n % 5},{n % 2}"))
    assert kt.datasets.load(path, features=["b", "Id"]).features == ("b", "Id")
    with pytest.raises(ValueError, match=r"`features` must be a column of the table: Id, a, b. Received: features='c'"):
        kt.datasets.load(path, features=["c"])
    only = file(lines("x,target", lambda n: f"{n},{n * 2.5}"))
    assert kt.datasets.load(only).features == ("x",)


def test_a_column_without_name_or_value_is_nothing(file):
    """As a comma at the end of each line makes one, and spreadsheets add empty rows."""
    path = file(lines("a,b,target,", lambda n: f"{n * n},{n % 5},{n % 2},") + "\n,,,\n,,,\n\n")
    data = kt.datasets.load(path)
    assert (data.features, len(data.x_train) + len(data.x_test)) == (("a", "b"), 40)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,target\n1,2,3\n4,5,6\n", r"as many fields.*Received: 3 in line 2, 2 in the header"),
        ("a,target\n1,2\n\n4,5,6\n", r"Received: 3 in line 4, 2 in the header"),
        ("a,target,target\n1,2,3\n", r"columns of different names. Received: twice target"),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", r"`target` must be a column.*Is there a header line"),
        ("a,,target\n" + "3,4,5\n" * 9, r"must have a name for each column"),
        ('a,target\n"1,2\n3,4\n', r"points\.csv must be a CSV file"),
        ("\n \n", r"points\.csv must be .*Received: an empty file"),
        (b"PK\x03\x04\x00", r"points\.csv must be a text file. Received: an Excel"),
        (bytes(range(256)), r"points\.csv must be a text file"),
        ("a,Target\n1,2\n", r"a column of points\.csv: a, Target.*Did you mean 'Target'\?.*--target"),
        ("a,class\n1,2\n", r"a column of points\.csv: a, class.*Did you mean 'class'\?.*--target"),
    ],
)
def test_a_file_that_is_read_wrongly_elsewhere_is_refused(file, content, message):
    """Rows that would shift, columns that would hide each other and foreign files are errors that say where."""
    with pytest.raises(ValueError, match=message):
        kt.datasets.load(file(content))


def test_words_become_features(file):
    """A column of few words gives a feature of 0 or 1 for each; one of names is refused, and can be left out."""
    row = "{0},{1},Braund {0},{2}"
    path = file(lines("age,sex,name,target", lambda n: row.format(n * n, ["male", "female"][n % 2], n % 3)))
    with pytest.raises(ValueError, match=r"text in name \('Braund 0', .*`features` \(--features\)"):
        kt.datasets.load(path)
    data = kt.datasets.load(path, features=["sex", "age"], standardize=False)
    assert data.features == ("sex=female", "sex=male", "age")
    x = np.concatenate([data.x_train, data.x_test])
    np.testing.assert_array_equal(x[:, 0], x[:, 2] % 2)
    np.testing.assert_array_equal(x[:, 1], 1 - x[:, 0])


@pytest.mark.parametrize("name", ["https://example.org/points.csv", "s3://bucket/points.csv"])
def test_nothing_is_downloaded(name):
    """An address is refused with the way out."""
    with pytest.raises(ValueError, match=r"`data` must be a file on this computer: download it first"):
        kt.datasets.load(name)


def test_only_files_are_opened(tmp_path):
    """A named pipe, which nobody writes into, and a directory are refused at once."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv"):
        with pytest.raises(ValueError, match=r"`data` must be a regular file"):
            kt.datasets.load(tmp_path / name)


@pytest.mark.parametrize("name", [None, 5, b"points.csv", "a\0.csv", "a" * 300 + ".csv", "", np.array(["a.csv"])])
def test_what_is_no_path_is_refused(name):
    """The error names the argument."""
    with pytest.raises((ValueError, TypeError), match="`data` must be"):
        kt.datasets.load(name)


def test_a_path_is_not_told(file):
    """Only the file's name is known of where the data come from: folders hold people's names."""
    path = file(lines("a,target", lambda n: f"{n * n},{n % 2}"))
    assert kt.datasets.load(path).facts()["source"] == "points.csv"
    assert str(path.parent) not in repr(kt.datasets.load(path).facts())


def test_arguments_for_files_do_not_change_a_named_set():
    """A set by name is what it is; its own task may be said."""
    for argument, value in (
        ("target", "a"),
        ("features", ["a"]),
        ("sep", ";"),
        ("task", "regression"),
        ("missing", "drop"),
    ):
        with pytest.raises(ValueError, match=f"`{argument}` is for data of your own.*Received: {argument}="):
            kt.datasets.load("iris", **{argument: value})
    assert kt.datasets.load("iris", task="classification").task == "classification"
