import decimal

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

import kerasteach as kt

ROWS = 40
X = np.random.default_rng(0).normal(size=(ROWS, 3))
Y = np.arange(ROWS) % 3
FRAME = pd.DataFrame(X, columns=["a", "b", "c"], index=np.arange(ROWS)[::-1] * 7)
WORDS = np.array(["low", "mid", "high"])[Y]


def same(y, **options):
    """Return the data set of the usual examples and these targets."""
    return kt.datasets.from_arrays(X, y, **options)


@pytest.mark.parametrize(
    "y",
    [
        Y,
        Y.astype("uint8"),
        Y.astype("float32"),
        Y.tolist(),
        Y[:, None],
        Y[:, None].astype(float),
        keras.utils.to_categorical(Y),
        keras.utils.to_categorical(Y).astype(bool),
        pd.get_dummies(pd.Series(Y)),
        pd.Series(Y, index=FRAME.index),
        pd.Series(Y, dtype="Int64"),
        pd.Series(Y, dtype="int64[pyarrow]"),
        pd.DataFrame({"kind": Y}),
        pd.Categorical(Y),
        pl.Series(Y),
        pl.DataFrame({"kind": Y}),
        tf.constant(Y),
        [decimal.Decimal(int(number)) for number in Y],
    ],
    ids=lambda y: type(y).__name__,
)
def test_classes_are_the_same_however_they_are_stored(y):
    """One-hot rows, floats, dummies, categories, tensors and columns give the same class numbers."""
    data = same(y)
    assert data.classes == ("0", "1", "2")
    assert data.fingerprint() == same(Y, task="classification").fingerprint()


@pytest.mark.parametrize(
    "y",
    [
        WORDS,
        WORDS.astype("S"),
        WORDS.tolist(),
        [f" {word} " for word in WORDS],
        pd.Series(WORDS, dtype="string"),
        pd.get_dummies(pd.Series(WORDS)),
        pl.Series(WORDS),
    ],
    ids=lambda y: type(y).__name__,
)
def test_words_are_classes(y):
    """Text of any type is sorted into classes, without the spaces around it."""
    data = same(y)
    assert data.classes == ("high", "low", "mid")
    assert data.fingerprint() == same(WORDS).fingerprint()


def test_categories_keep_their_order():
    """What pandas was told of the order of categories is kept, without those that never occur."""
    assert same(pd.Categorical(WORDS, categories=["low", "mid", "high", "never"])).classes == ("low", "mid", "high")
    assert same(pd.Categorical(Y > 1)).classes == ("False", "True")


@pytest.mark.parametrize("y", [Y > 0, (Y > 0).tolist(), pd.array(Y > 0, dtype="boolean"), pd.Series(Y > 0)])
def test_truth_values_are_two_classes(y):
    """NumPy's, Python's and pandas's."""
    assert same(y).classes == ("False", "True")


def test_what_the_task_is_can_be_said():
    """`task` turns the rule round: ratings are values, many or broken numbers are classes, one-hot rows are values."""
    assert same(Y + 1, task="regression").y_train.shape == (32, 1)
    assert same(keras.utils.to_categorical(Y), task="regression").outputs == 3
    assert same(Y.astype(str), task="regression").outputs == 1
    assert same(Y / 2, task="classification").classes == ("0", "0.5", "1")
    many = kt.datasets.from_arrays(np.ones((100, 1)), np.arange(100) % 25, task="classification", test_fraction=0.5)
    assert len(many.classes) == 25
    assert same(Y, task="auto").task == "classification"


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        (Y + 1, "classification", "regression"),
        (Y * 2.0, "classification", "regression"),
        (np.arange(400) % 25, "regression", "classification"),
        (np.stack([Y > 0, Y > 1], axis=1), "regression", "values"),
    ],
)
def test_a_doubtful_guess_warns_and_says_how_to_change_it(y, task, words):
    """Ratings from 1, many class numbers and several labels at once are guesses, and the description says so."""
    x = np.random.default_rng(0).normal(size=(len(y), 2))
    with pytest.warns(UserWarning, match=words):
        data = kt.datasets.from_arrays(x, y)
    assert data.task == task
    assert "(a guess: " in data.describe()
    assert data.facts()["task_guess"] == data.guess != ""


@pytest.mark.parametrize("y", [Y, Y > 0, WORDS, np.where(Y > 0, 1, -1), X[:, 0], X[:, :2], np.arange(ROWS) * 1000.0])
def test_what_is_plain_warns_of_nothing(y):
    """Class numbers from 0, two values, words, and numbers that do not come again need no word of caution."""
    assert same(y).doubts == ()


def test_values_that_do_not_come_again_are_no_classes():
    """Ten points of a line with whole numbers make a regression."""
    assert kt.datasets.from_arrays(np.arange(10.0)[:, None], np.arange(10.0) * 2 + 1).task == "regression"


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (X, {"task": "classification"}, r"`y` must have one class an example.*y\.argmax\(axis=1\)"),
        (WORDS, {"task": "regression"}, r"`y` must hold numbers for a regression. Received: text, 'low'"),
        (Y, {"task": "classify"}, r'`task` must be one of "auto", "classification", "regression"'),
        (Y, {"missing": "ignore"}, r'`missing` must be one of "error", "drop"'),
        (Y, {"classes": 5}, r"`classes` must be a list of names"),
        (Y, {"classes": "abc"}, r"`classes` must be a list of names"),
        (Y, {"classes": ["a", "a", "b"]}, r"`classes` must have a name for each class"),
        (WORDS, {"classes": ["low", "mid"]}, r"`classes` must name every class of `y`.*also high"),
        (Y - 1, {"classes": ["a", "b"]}, r"from 0 to 1.*from -1 to 1"),
        (keras.utils.to_categorical(Y), {"classes": ["a", "b"]}, r"a name for each column of `y`. Received: 2 for 3"),
        (pd.date_range("2020", periods=ROWS), {}, r"`y` must hold classes or numbers.*datetime64"),
        (Y * 1j, {}, r"`y` must hold classes or numbers.*complex"),
        (np.ones((ROWS, 2, 2)), {}, r"`y` must be \(examples,\) or \(examples, values\)"),
        ([[1], [1, 2]] * 20, {}, r"`y` must have rows of one length"),
        (None, {}, r"`y` must be an array"),
        ("a", {}, r"`y` must hold the targets: `x` is no table"),
        (np.where(Y == 0, np.nan, X[:, 0]), {}, r"`y` must have no missing value.*14 of 40"),
        (np.where(Y == 0, np.inf, X[:, 0]), {}, r"`y` must be finite"),
        ([10**400] * ROWS, {}, r"`y` must be finite"),
        (Y, {"features": ["a"]}, r"`features` names columns of a table"),
        (Y, {"name": 5}, r"`name` must be a text"),
    ],
)
def test_targets_that_will_not_do_say_why(y, options, message):
    """The error names the argument and what would work."""
    with pytest.raises((ValueError, TypeError), match=message):
        same(y, **options)


@pytest.mark.parametrize(
    "x",
    [
        FRAME,
        FRAME.astype(object),
        FRAME.convert_dtypes(dtype_backend="pyarrow"),
        FRAME.astype(str),
        {"a": X[:, 0], "b": list(X[:, 1]), "c": pd.Series(X[:, 2], index=FRAME.index)},
        pl.DataFrame(dict(zip("abc", X.T, strict=True))),
        np.rec.fromarrays(X.T, names="a,b,c"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_tables_of_any_library_give_the_same_examples(x):
    """Names are kept, an index is not looked at."""
    data = kt.datasets.from_arrays(x, pd.Series(Y))
    assert data.features == ("a", "b", "c")
    assert data.fingerprint() == same(Y).fingerprint()


def test_a_data_set_of_scikit_learn_is_told_how_to_be_given():
    """Its loaders return a dictionary that is no table."""
    bunch = load_iris()
    for take in (lambda: kt.compare("relu", data=bunch), lambda: kt.datasets.from_arrays(bunch, Y)):
        with pytest.raises(ValueError, match=r"\(bunch.data, bunch.target\). Received: Bunch of data, target"):
            take()
    assert kt.datasets.from_arrays({"data": X[:, 0], "target": X[:, 1]}, Y).features == ("data", "target")
    with pytest.raises(TypeError, match=r"`x\['b'\]` must be an array, a table or a list. Received: .*None"):
        kt.datasets.from_arrays({"a": X[:, 0], "b": None}, Y)


@pytest.mark.parametrize("x", [X.tolist(), tf.constant(X), X.astype(object), X.astype(str), pl.DataFrame(X).to_numpy()])
def test_arrays_of_any_library_give_the_same_examples(x):
    """Lists, tensors, objects and numerals."""
    assert kt.datasets.from_arrays(x, Y).fingerprint() == same(Y).fingerprint()


def test_targets_may_be_a_column_of_the_table():
    """By its name."""
    data = kt.datasets.from_arrays(FRAME.assign(kind=WORDS), "kind")
    assert (data.features, data.classes) == (("a", "b", "c"), ("high", "low", "mid"))
    with pytest.raises(
        ValueError, match=r"`y` must be a column of the table: a, b, c. Received: y='C'. Did you mean 'c'"
    ):
        kt.datasets.from_arrays(FRAME, "C")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (FRAME.assign(name=[f"n{number}" for number in range(ROWS)]), r"text in name \('n0', 'n1', 'n2', \.\.\.\)"),
        (FRAME.assign(when=pd.date_range("2020", periods=ROWS)), r"datetime64.* in when .*days since"),
        (FRAME.assign(pair=[[1, 2]] * ROWS), r"list in pair"),
        (FRAME.assign(mixed=[1, "x"] * 20), r"text in mixed \('x'\)"),
        (FRAME * 1j, r"complex numbers in a, b, c"),
        (FRAME.astype("Float64").mask(FRAME > 1), r"`x` must have no missing value.*missing in a \(\d\), b \(\d\), c"),
        (FRAME.mask(FRAME > 1, np.inf), r"`x` must be finite.*in a \(\d\)"),
        (pd.concat([FRAME, FRAME], axis=1), r"different names. Received: twice a, b, c"),
        (FRAME[[]], r"`x` must have a column to learn from"),
        ({"a": [1, 2], "b": [1]}, r"columns of one length. Received: \{'a': 2, 'b': 1\}"),
        ({"a": X}, r"a list of values for each column"),
        (FRAME.assign(large=10**400), r"`x` must be finite.*in large \(40\)"),
        ([[10**400]] * ROWS, r"`x` must be finite.*in column 0 \(40\)"),
        ([[1], [1, 2]] * 20, r"`x` must have rows of one length"),
        (5, r"`x` must be an array, a table or a list"),
        ("abc", r"`x` must be an array, a table or a list"),
        (keras.Input((3,)), r"`x` must have numbers, as an array or a table"),
        (X * 1j, r"`x` must have numbers in every column.*complex numbers in column 0"),
    ],
)
def test_examples_that_will_not_do_name_the_column(x, message):
    """The error names the column, what it holds, and the way out."""
    with pytest.raises((ValueError, TypeError), match=message):
        kt.datasets.from_arrays(x, Y)


def test_masked_entries_are_missing():
    """NumPy's masked arrays hide numbers that are no data."""
    with pytest.raises(ValueError, match=r"1 NaN or infinite of 120, in column 0 \(1\)"):
        kt.datasets.from_arrays(np.ma.masked_array(X, mask=np.arange(ROWS * 3).reshape(ROWS, 3) == 0), Y)


def test_rows_with_a_missing_value_are_dropped_on_request():
    """In examples or targets, and the test part keeps its own rows."""
    x, y = X.copy(), Y.astype(float)
    x[0, 0], y[39] = np.nan, np.nan
    data = kt.datasets.from_arrays(x[:30], y[:30], test=(x[30:], y[30:]), missing="drop", standardize=False)
    np.testing.assert_allclose(data.x_train, X[1:30], rtol=1e-6)
    np.testing.assert_allclose(data.x_test, X[30:39], rtol=1e-6)
    assert data.notes == ("left out 2 of 40 rows, which have missing values",)


def test_a_test_part_of_ones_own_is_used():
    """As it is, in its order; its columns are found by name, and its words are those of the training part."""
    table = FRAME.assign(word=WORDS)
    train, test = table[:30], table[30:][["word", "c", "b", "a"]]
    data = kt.datasets.from_arrays(train, Y[:30], test=(test, Y[30:]), standardize=False)
    assert data.features == ("a", "b", "c", "word=high", "word=low", "word=mid")
    np.testing.assert_allclose(data.x_test[:, :3], X[30:], rtol=1e-6)
    np.testing.assert_array_equal(data.y_test, Y[30:])
    np.testing.assert_array_equal(data.x_test[:, 4], WORDS[30:] == "low")


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (5, r"`test` must be a pair"),
        ((X,), r"`test` must be a pair"),
        ((X[:, :2], Y), r"in the form of `x` and `y`.*\(40, 3\) and \(40, 2\)"),
        ((X, keras.utils.to_categorical(Y)), r"in the form of `x` and `y`"),
        ((X[:3], Y), r"same length \(`test`\). Received: 3 and 40"),
        ((X, Y + 5), r"Each class needs an example to train on. Received: none of class '5'"),
    ],
)
def test_a_test_part_that_does_not_fit_says_why(test, message):
    """Its shape, its form, its length and its classes."""
    with pytest.raises(ValueError, match=message):
        same(Y, test=test)


def test_classes_give_names_and_order():
    """To numbers, whole floats, one-hot rows, truth values; and an order to words."""
    for y in (Y, Y * 1.0, keras.utils.to_categorical(Y)):
        assert same(y, classes=["a", "b", "c"]).classes == ("a", "b", "c")
    assert same(Y > 0, classes=["no", "yes"]).fingerprint() == same(Y > 0).fingerprint()
    ordered = same(WORDS, classes=["low", "mid", "high"])
    assert ordered.fingerprint() == same(Y).fingerprint()


def test_standardization_is_that_of_scikit_learn_in_float64():
    """On features of any offset and scale; what is cast to float32 is the result."""
    scales = np.array([1.0, 1e-13, 1e9, 1e-300])
    x = np.random.default_rng(1).normal(size=(50, 4)) * scales + np.array([0.0, 1e-12, -1e12, 0.0])
    data = kt.datasets.from_arrays(x[:40], np.arange(40) % 2, test=(x[40:], np.arange(10) % 2))
    scaler = StandardScaler().fit(x[:40] / scales)
    np.testing.assert_allclose(data.x_train, scaler.transform(x[:40] / scales), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.x_test, scaler.transform(x[40:] / scales), rtol=1e-5, atol=1e-6)
    assert data.standardized
    np.testing.assert_allclose(data.x_train[:, :3] * data.scale[:3] + data.shift[:3], x[:40, :3], rtol=1e-6)


def test_large_numbers_with_small_differences_keep_them():
    """200 timestamps stay 200 values, as a feature and as a target; in float32 they would be three."""
    stamps = 1.7e9 + np.arange(200.0)
    data = kt.datasets.from_arrays(np.stack([stamps, np.sin(stamps)], axis=1), stamps, task="regression")
    assert len(np.unique([*data.x_train[:, 0], *data.x_test[:, 0]])) == 200
    assert len(np.unique([*data.y_train[:, 0], *data.y_test[:, 0]])) == 200


def test_a_feature_is_constant_only_where_all_values_are_equal():
    """A constant becomes 0, a tiny one is scaled."""
    x = np.stack([np.full(ROWS, 0.1), np.arange(ROWS) * 1e-13], axis=1)
    data = kt.datasets.from_arrays(x, Y)
    assert (data.x_train[:, 0] == 0).all()
    assert data.x_train[:, 1].std() == pytest.approx(1, abs=1e-5)


def test_float32_that_cannot_tell_values_apart_warns():
    """Without standardization, the only way out is said; what float32 cannot hold at all is an error."""
    with pytest.warns(UserWarning, match=r"`x` has large numbers with small differences.*standardize=True"):
        kt.datasets.from_arrays(1.7e9 + np.arange(200.0)[:, None], np.arange(200) % 2, standardize=False)
    with pytest.raises(ValueError, match=r"`x` must have values below 3\.4e38"):
        kt.datasets.from_arrays(X * 1e300, Y, standardize=False)
    assert np.isfinite(same(Y).x_train).all()


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["int64", "float32", "bool", "str", "object"]),
    st.integers(2, 9),
    st.permutations(range(36)),
)
def test_labels_of_any_type_come_back_by_name(kind, count, order):
    """Each example's class has the name that was given for it, whatever type it was stored in."""
    given_labels = np.array([number % count for number in order]).astype(kind)
    x = np.arange(36.0)[:, None]
    data = kt.datasets.from_arrays(x, given_labels, task="classification", test_fraction=0.5, standardize=False)
    for part, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        for value, label in zip(part[:, 0], labels, strict=True):
            assert data.classes[label] == str(given_labels[int(value)]).removesuffix(".0")


def test_a_description_is_one_line(tmp_path):
    """Names of classes with line breaks, and many of them, are shortened."""
    path = tmp_path / "odd.csv"
    path.write_text("a,target\n" + "\n".join(f'{n * n},"class\n{n % 9}"' for n in range(90)))
    text = kt.datasets.load(path).describe()
    assert "\n" not in text
    assert "9 classes (class 0, class 1, class 2, class 3, class 4, class 5, ...)" in text


def test_facts_are_json_and_name_everything():
    """Features, classes, task, standardization and what was left out."""
    facts = kt.datasets.from_arrays(FRAME, WORDS, standardize=False).facts()
    assert facts["feature_names"] == ["a", "b", "c"]
    assert facts["class_names"] == ["high", "low", "mid"]
    assert (facts["task"], facts["standardized"], facts["notes"]) == ("classification", False, [])
