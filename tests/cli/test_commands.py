import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import keras
import pandas as pd
import pytest
from matplotlib.animation import writers

import kerasteach as kt
from kerasteach.cli import main
from kerasteach.cli.compare.training import builders
from kerasteach.cli.terminal import accept_any_encoding
from kerasteach.experiment import executor

SMALL = ["compare", "--data", "iris", "--hidden", "5", "5", "--seeds", "2", "--epochs", "2"]
SIGMOID_AND_RELU = ["--activations", "sigmoid", "relu", "--error-below", "0.5", "--output", "out"]
COMMANDS = ("compare", "plot", "activations", "descent", "devices", "trace", "exercises", "tutorials")


def command(*arguments, cwd, **environment):
    """Run the command in a process of its own."""
    code = "from kerasteach.cli import main; main()"
    inherited = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**inherited, "COLUMNS": "120", **environment},
    )


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the figures of comparisons, where a test is not about them."""
    monkeypatch.setattr(sys.modules["kerasteach.cli.compare.command"], "write_run", lambda *_, **__: [])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a small comparison once, in this process, and return its status, what it printed and where it wrote."""
    folder, printed = tmp_path_factory.mktemp("run"), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(printed), redirect_stderr(io.StringIO()):
        patched.chdir(folder)
        patched.setenv("COLUMNS", "120")
        patched.setattr(sys.modules["kerasteach.cli.compare.command"], "start_tensorflow", lambda: None)
        patched.setattr(sys, "argv", ["kerasteach", *SMALL, *SIGMOID_AND_RELU])
        with pytest.raises(SystemExit) as ended:
            main()
    return ended.value.code, printed.getvalue(), folder / "out"


def test_compare_writes_figures_and_tables(run):
    """Exit status 0; the six figures and the tables are there, and nothing else."""
    status, _, folder = run
    assert status == 0
    assert sorted(file.name for file in folder.iterdir()) == [
        *("confusion.parquet", "confusion_matrix.png", "gradient_flow.png", "gradient_heat_map.png"),
        *("gradients.parquet", "history.parquet"),
        *("learning_curves.png", "lecture.png", "run.json", "score_distribution.png", "summary.csv", "test_scores.png"),
    ]


def test_compare_prints_summary_and_paths(run):
    """A row an activation, a column a quantity, and where each figure is."""
    _, printed, _ = run
    for word in ("sigmoid", "relu", "final loss", "test accuracy", "epochs to error < 0.5", "gradient ratio"):
        assert re.search(word.replace(" ", r"\s+"), printed), word
    assert "out/lecture.png" in printed


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Run the same comparison in a process of its own, and return what it printed and where."""
    folder = tmp_path_factory.mktemp("alone")
    done = command(*SMALL, *SIGMOID_AND_RELU, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done, folder / "out"


@pytest.mark.slow
def test_compare_shows_progress_and_no_chatter(alone):
    """Standard error has the bar, and none of TensorFlow's start."""
    done, _ = alone
    assert "networks" in done.stderr
    assert "oneDNN" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_saved_run_is_the_comparison(run):
    """The tables on disk are what `compare` returns, and summary.csv its summary."""
    *_, folder = run
    loaded = kt.Comparison.load(folder)
    summary = pd.read_csv(folder / "summary.csv", index_col="activation")
    pd.testing.assert_frame_equal(loaded.summary(), summary, check_dtype=False)
    assert loaded.history["activation"].unique().tolist() == ["sigmoid", "relu"]


@pytest.mark.slow
def test_the_same_options_give_the_same_tables(alone, tmp_path):
    """A second process repeats the first to the last digit."""
    _, folder = alone
    ascii_only = {"PYTHONIOENCODING": "ascii"}  # as some terminals are
    done = command(*SMALL, *SIGMOID_AND_RELU, "--format", "svg", cwd=tmp_path, **ascii_only)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "lecture.svg").exists()
    first, second = kt.Comparison.load(folder), kt.Comparison.load(tmp_path / "out")
    pd.testing.assert_frame_equal(first.history, second.history, check_exact=True)
    pd.testing.assert_frame_equal(first.gradients, second.gradients, check_exact=True)


def test_existing_files_stay_without_force(run, here, capsys):
    """The error comes before any training, and names the way."""
    *_, folder = run
    assert here(*SMALL, "--output", folder) == 2
    told = capsys.readouterr().err
    assert told.startswith("kerasteach: error: ")
    assert "lecture.png exists already. Choose another --output, or overwrite it with --force." in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--activations", "sigmoid", "relo"], "`--activations` must be one of .*Received: --activations relo"),
        (["--data", "digit"], "`--data` must be one of .*Received: --data digit"),
        (["--data", "points.csv"], "`x` must|no missing value.*missing in a"),
        (["--device", "gpu:7"], r"TensorFlow does not see it.*tensorflow\[and-cuda\].*Received: --device gpu:7"),
        (["--output", "points.csv/out"], "`--output` must be a folder that can be written"),
        (["--format", "gif"], "--format.*gif"),
        (["--epochs", "many"], "--epochs.*integer.*Received: --epochs many"),
        (["--depth", "2", "x"], "--depth.*integer.*Received: --depth 2 x"),
        (["--activations"], "--activations"),
        (["--activations", "sigmoid,tanh"], r"Values are separated by spaces: sigmoid tanh\."),
        (["--depth", "2,4"], r"Received: --depth 2,4\. Values are separated by spaces: 2 4\."),
        (["--resume", "nowhere"], "`--resume` goes on with the options"),
        (["--split-seed", "-1"], "`--split-seed` must be a whole number from 0"),
        (["--epochs", "0"], "`--epochs` must be a whole number from 1. Received: --epochs 0"),
        (["--models", "there.py:small"], "my_models.py:small.*--models there.py:small .*No module named 'there'"),
        (["--models", "a.py:b", "a.py:b"], "each function once"),
        (["--animate", "--every", "none"], "`--animate` shows the gradients"),
        (["--style", "slide"], "--style.*slide"),
        (["--every", "often"], '`--every` must be a number of steps from 1, or "epoch". Received: --every often'),
    ],
)
def test_bad_input_is_one_line_and_status_2(options, message, here, tmp_path, capsys):
    """No traceback, nothing written; it speaks of options, not of Python's arguments."""
    (tmp_path / "points.csv").write_text("a,target\n1,0\n,1\n3,0\n4,1\n")
    (tmp_path / "a.py").write_text("def b(): pass\n")
    assert here(*SMALL, *options) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", told), told
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["a.py", "points.csv"]


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "words", [["compare", "--activations", "relo"], ["activations", "relo"], ["trace", "--activation", "relo"]]
)
def test_a_bad_activation_is_refused_before_tensorflow_starts(words, tmp_path):
    """The error needs neither TensorFlow nor Keras."""
    code = "import sys\nfrom kerasteach.cli import main\ntry:\n    main()\n"
    code += "finally:\n    print({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout) == (2, "set()\n")
    assert "Did you mean 'relu'?" in done.stderr


@pytest.mark.usefixtures("undrawn")
def test_force_replaces_what_is_there(run, here, tmp_path):
    """With `--force` the files are new, without it they keep their bytes."""
    *_, folder = run
    old = {file.name: file.read_bytes() for file in folder.iterdir()}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    options = ["--activations=tanh", "--seeds", "1", "--epochs", "1", "--output", tmp_path]
    assert here(*SMALL, *options) == 2
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == old
    assert here(*SMALL, *options, "--force") == 0
    assert kt.Comparison.load(tmp_path).history["activation"].unique().tolist() == ["tanh"]


@pytest.mark.slow
def test_force_leaves_no_page_of_the_comparison_before(run, here, tmp_path):
    """A second page, or another format, would show networks that were replaced; one's own pictures stay."""
    *_, folder = run
    for file in folder.iterdir():
        shutil.copy(file, tmp_path)
    old = ("lecture-2.png", "gradient_heat_map-2.png", "lecture.pdf", "decision_boundary.png")
    own = ("lecture-b.png", "lecture-2.txt", "my lecture-2.png")
    for name in (*old, *own):
        (tmp_path / name).write_text("a picture")
    assert here(*SMALL, "--activations", "tanh", "--output", tmp_path, "--force") == 0
    names = {file.name for file in tmp_path.iterdir()}
    assert not names & set(old)
    assert names >= {*own, "lecture.png"}


@pytest.mark.slow
def test_a_further_page_that_exists_is_refused_before_the_training(here, tmp_path, capsys):
    """Not after it, when the eighth network is drawn; and with `--force` a picture of someone else's stays."""
    (tmp_path / "lecture-2.png").write_text("a picture")
    assert here(*SMALL, "--activations", "tanh", "--output", tmp_path) == 2
    assert "lecture-2.png exists already" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["lecture-2.png"]
    assert here(*SMALL, "--activations", "tanh", "--output", tmp_path, "--force") == 0
    assert (tmp_path / "lecture-2.png").read_text() == "a picture"


@pytest.mark.sample(1)
@pytest.mark.parametrize("words", [["--output=~/figures"], ["--output", "~/figures"], ["-o", "~/figures"]])
def test_a_tilde_is_the_home_folder(words, here, tmp_path, monkeypatch):
    """Also where no shell has expanded it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    assert here("activations", "relu", *words) == 0
    assert (tmp_path / "home" / "figures" / "activation_functions.png").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["home"]


def test_without_a_command_there_is_help(here, capsys):
    """The bare command is no error."""
    assert here() == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_h_is_help(name, here, capsys):
    """`-h` is as good as `--help`, for each command and for the whole."""
    for words in (("-h",), (name, "-h")):
        assert here(*words) == 0
        assert "Usage: kerasteach" in capsys.readouterr().out


def test_activations_draws_those_named(here, capsys):
    """Each is said in a line, and the figure is written."""
    assert here("activations", "tanh", "relu", "--output", "out") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["tanh", "relu", "out/activation_functions.png"]


def test_trace_explains_the_courses_step(here, tmp_path, capsys):
    """Without options: the explanation on standard output, the table to 1e-6, the figure, and where they are."""
    assert here("trace", "--output", "out") == 0
    told = capsys.readouterr()
    assert "dE/dw2 = (a2 - T) * a2 (1 - a2) * a1 = " in told.out
    assert told.err.splitlines() == ["out/training_step.csv", "out/explanation.txt", "out/training_step.png"]
    table = pd.read_csv(tmp_path / "out" / "training_step.csv")
    new = table[table["quantity"].isin(["new W", "new b"])]["value"]
    assert new.tolist() == pytest.approx([0.1495914416, 0.3959144165, 0.4271718407, 0.6120974876], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "suffix"), [("text", "txt"), ("markdown", "md"), ("latex", "tex")])
def test_standard_output_of_trace_is_the_explanation_alone(language, suffix, here, tmp_path, capsys):
    """`kerasteach trace --as latex > step.tex` can be compiled; the same is in a file beside the figure."""
    assert here("trace", "--as", language) == 0
    out = capsys.readouterr().out
    assert (tmp_path / "kerasteach-trace" / f"explanation.{suffix}").read_text(encoding="utf-8") == out.rstrip(
        "\n"
    ) + "\n"
    if language == "latex":
        assert all(block.startswith(r"\[") and block.endswith(r"\]") for block in out.strip().split("\n\n"))


def test_a_reader_that_has_had_enough_is_no_error(here, tmp_path, monkeypatch):
    """`kerasteach trace | head` writes all its files."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", encoding="utf-8") as unread:
        monkeypatch.setattr(sys, "stdout", unread)
        assert here("trace", "--output", "out") == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        *("explanation.txt", "training_step.csv", "training_step.png")
    }


@pytest.mark.slow  # a process of its own that starts TensorFlow
def test_tensorflows_own_log_level_makes_it_no_louder(tmp_path):
    """With `TF_CPP_MIN_LOG_LEVEL=3`, standard error has what the command writes there, also where nobody reads on."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from kerasteach.cli import main; main()", "trace", "--output", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert told.splitlines() == ["out/training_step.csv", "out/explanation.txt", "out/training_step.png"]


def test_what_an_encoding_lacks_is_written_in_ascii(monkeypatch):
    """A superscript, a dash, an accent: nothing ends in UnicodeEncodeError."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    accept_any_encoding()
    sys.stdout.write("x² – ü ✓")  # noqa: RUF001  the dash of a range
    sys.stdout.flush()
    assert written.getvalue() == b"x^2 - u ?"


@pytest.mark.slow
def test_trace_takes_a_saved_model_and_a_file(here, tmp_path, capsys):
    """The model's own loss and optimizer, the file's rows as the batch; Markdown where it is asked for."""
    model = kt.models.mlp("tanh", (2,), inputs=2, outputs=2, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    model.save(tmp_path / "model.keras")  # without variables of the optimizer, which is no fault of the caller's
    (tmp_path / "points.csv").write_text("a,b,target\n1,0.5,no\n-1,0.25,yes\n")
    options = ["--model", "model.keras", "--data", "points.csv", "--as", "markdown", "--format", "svg"]
    assert here("trace", *options) == 0
    told = capsys.readouterr().out
    assert "### 3. Backpropagate and update" in told
    assert "by Adam's rule" in told
    assert {file.name for file in (tmp_path / "kerasteach-trace").iterdir()} == {
        *("explanation.md", "training_step.csv", "training_step.svg")
    }


@pytest.mark.slow
def test_trace_of_a_large_model_writes_the_table(here, tmp_path, capsys):
    """What is too large to read is said so; the numbers are there all the same."""
    kt.models.mlp("relu", (20,), inputs=2, outputs=1, output_activation=None).save(tmp_path / "model.keras")
    options = ["--model", "model.keras", "--input", "1", "-2", "--target", "1", "--learning-rate", "0.5"]
    assert here("trace", *options) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "No explanation. An explanation can be read for up to 12 units" in told.err
    assert "No figure. The numbers of up to 12 units" in told.err
    assert [file.name for file in (tmp_path / "kerasteach-trace").iterdir()] == ["training_step.csv"]


@pytest.mark.slow
def test_trace_of_a_large_batch_draws_the_network(here, tmp_path, capsys):
    """Five examples are too many to explain, but not to draw one of them."""
    rows = "".join(f"0.{number},0.5\n" for number in range(5))
    (tmp_path / "points.csv").write_text("a,target\n" + rows)
    assert here("trace", "--data", "points.csv") == 0
    assert "No explanation." in capsys.readouterr().err
    found = {file.name for file in (tmp_path / "kerasteach-trace").iterdir()}
    assert found == {"training_step.csv", "training_step.png"}


def test_trace_writes_the_step_explorer(here, tmp_path, capsys):
    """The page is a file beside the others, in the language that is asked for, and nothing is printed."""
    assert here("trace", "--as", "html", "--language", "de") == 0
    assert capsys.readouterr().out == ""
    page = (tmp_path / "kerasteach-trace" / "explanation.html").read_text(encoding="utf-8")
    assert "Zahlen verdecken" in page


@pytest.mark.slow
def test_trace_speaks_german(here, capsys):
    """The explanation that is printed has the sentences of the catalog."""
    assert here("trace", "--language", "de") == 0
    assert "2. Vorwärtsschritt und Fehler" in capsys.readouterr().out


DESCENT = ["descent", "--function", "rosenbrock", "--learning-rates", "0.001", "0.01"]


@pytest.mark.slow
def test_descent_writes_an_animation(here, tmp_path):
    """Beside its figures."""
    options = ["--steps", "3", "--animation", "gif", "--style", "paper", "--output", "out"]
    assert here(*DESCENT, *options) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} >= {"descent.gif", "descent_path.png"}


def test_descent_writes_figures_and_the_table_and_prints_verdicts(here, tmp_path, capsys):
    """The table on disk is what `gradient_descent` returns; the start may be negative; each verdict is a line."""
    options = ["--start", "-.5", "-1", "--steps", "3", "--optimizer", "plain_sgd", "sgd", "--output", "out"]
    assert here(*DESCENT, *options, "--style", "paper") == 0
    told = capsys.readouterr()
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        *("descent.csv", "descent_path.png", "descent_values.png")
    ]
    table = pd.read_csv(tmp_path / "out" / "descent.csv")
    again = kt.gradient_descent("rosenbrock", (-0.5, -1.0), [0.001, 0.01], 3, optimizer=["plain_sgd", "sgd"]).frame
    pd.testing.assert_frame_equal(table, again, check_dtype=False)
    lines = [line.split() for line in told.out.splitlines()]
    found = {(line[0], line[1]): line[2] for line in lines if line and line[0] in ("plain_sgd", "sgd")}
    verdicts = again.groupby(["optimizer", "learning_rate"])["verdict"].first()
    assert found == {(name, f"{rate:g}"): word.split()[0] for (name, rate), word in verdicts.items()}
    assert "out/descent_path.png" in told.out


@pytest.mark.slow
def test_descent_needs_no_option(here, tmp_path, capsys):
    """It shows the trade-off on the parabola, in any format."""
    assert here("descent", "--format", "svg", "--style", "paper", "--value-below", "1e-3") == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("still going", "converged", "diverged"))
    assert (tmp_path / "kerasteach-descent" / "descent_values.svg").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights", "1", "2", "3"], "`--weights` and `--biases` must have a number for each neuron"),
        (["--input", "1", "2"], "`--input` must have 1 number. Received: 2"),
        (["--target", "1", "2"], "`--target` must have 1 number, as the model's loss takes it. Received: 2"),
        (["--activation", "sigmoyd"], "Did you mean 'sigmoid'"),
        (["--model", "there.keras"], "`--model` needs an example: --input and --target"),
        (["--model", "there.keras", "--input", "1", "--target", "1"], "`--model` must be a file that Keras has saved"),
        (["--model", "there.keras", "--weights", "1"], "`--model` has its own weights"),
        (["--data", "points.csv", "--input", "1"], "`--data` has the examples"),
        (["--learning-rate", "-1"], "`--learning-rate` must be finite and not negative.*--learning-rate -1.0"),
        (["--as", "pdf"], "--as.*pdf"),
        (["--language", "xx"], "`--language` must be one of .*en.*de"),
    ],
)
def test_bad_input_to_trace_is_one_line(here, options, message, tmp_path, capsys):
    """No traceback, nothing written."""
    assert here("trace", *options) == 2
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_trace_of_two_inputs_is_refused_in_words(here, tmp_path, capsys):
    """That the model is no chain is said before its inputs are counted."""
    halves = [keras.Input((2,)), keras.Input((3,))]
    keras.Model(halves, keras.layers.Dense(1)(keras.layers.Concatenate()(halves))).save(tmp_path / "two.keras")
    assert here("trace", "--model", "two.keras", "--input", "1", "2", "--target", "2") == 2
    assert re.search(r"It cannot explain 'functional.*' \(Functional\): it has 2 inputs\.", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("a,b,Target\n1,2,0\n3,4,1\n", "`--data` must have a column named target. Received: --data points.csv"),
        ("a,b,target\n1,2,0\n3,4,1\n", "`--data` must have 1 number a row, beside the target. Received: 2."),
    ],
)
def test_a_file_must_fit_the_chain(table, message, here, tmp_path, capsys):
    """It needs the target's column, and a column for each input."""
    (tmp_path / "points.csv").write_text(table)
    assert here("trace", "--data", "points.csv") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("loss", "target", "message"),
    [
        ("sparse_categorical_crossentropy", ["0", "1", "0"], "must have one number, that of the class. Received: 3"),
        ("sparse_categorical_crossentropy", ["7"], "`--target` must hold class numbers from 0 to 2"),
        ("categorical_crossentropy", ["1"], "must have 3 numbers, as the model's loss takes it. Received: 1"),
    ],
)
def test_the_target_is_what_the_loss_takes(loss, target, message, here, tmp_path, capsys):
    """The number of a class, or a number for each output."""
    model = kt.models.mlp("tanh", (2,), inputs=2, outputs=3, seed=0)
    model.compile("sgd", loss)
    model.save(tmp_path / "model.keras")
    assert here("trace", "--model", "model.keras", "--input", "1", "2", "--target", *target) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--function", "rosenbrok"], "Did you mean 'rosenbrock'"),
        (["--start", "1"], r"`--start` must have a number for each coordinate of rosenbrock, as in \(-1.2, 1.0\)"),
        (["--start", "one"], "--start"),
        (["--learning-rates", "-1"], "`--learning-rate` must be a finite number above 0"),
        (["--learning-rate", "nan"], "`--learning-rate` must be .*finite"),
        (["--steps", "0"], "`--steps` must be a whole number from 1"),
        (["--optimizers", "adamm"], "`--optimizer` must be a name that Keras knows"),
        (["--gradient-below", "0"], "never below 0"),
        (["--animation", "avi"], "--animation.*avi"),
        (["--animation", "mp4"], "needs the program ffmpeg"),
        (["--output", "there"], r"descent_path\.png exists already.*--force"),
    ],
)
def test_a_bad_descent_is_one_line_and_status_2(options, message, here, tmp_path, monkeypatch, capsys):
    """No traceback, nothing written."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "descent_path.png").touch()
    monkeypatch.setattr(type(writers), "is_available", lambda self, name: False)
    assert here(*DESCENT, *options) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", told), told
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["descent_path.png", "there"]


def test_descent_help_names_the_gallery(here, capsys):
    """Every function, in the order of the gallery."""
    assert here("descent", "--help") == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    *first, last = kt.lessons.functions.names()
    assert f"{', '.join(first)} or {last}" in re.sub(r"-?-[a-z]+ <[^>]*> ", "", text)


def test_devices_lists_the_cpu(here, capsys):
    """The name that --device takes comes first."""
    assert here("devices") == 0
    assert capsys.readouterr().out.startswith("cpu:0")


def test_version_and_help_answer(here, capsys):
    """`--version` prints it; `--help` names the commands."""
    assert here("--version") == 0
    assert capsys.readouterr().out == f"kerasteach {kt.__version__}\n"
    assert here("--help") == 0
    help_text = capsys.readouterr().out
    assert all(name in help_text for name in COMMANDS)


@pytest.mark.slow
def test_several_values_are_compared(here, tmp_path, capsys):
    """Several learning rates and depths make a grid; data with two features get a decision boundary."""
    options = ["--data", "moons", "--seeds", "1", "--epochs", "1", "--hidden", "4", "--output", "out"]
    options += ["--learning-rates", "0.1", "0.5", "--depth=1", "2", "--activation", "tanh"]  # in plural, in singular
    assert here("compare", *options) == 0
    found = kt.Comparison.load(tmp_path / "out")
    assert found.summary().index.names == ["hidden_layers", "learning_rate"]
    assert len(found.summary()) == 4
    assert (tmp_path / "out" / "decision_boundary.png").exists()
    told = capsys.readouterr().out
    for word in ("learning rate", "hidden layers", "test accuracy difference"):
        assert re.search(word.replace(" ", r"\s+"), told), word


def test_options_may_be_in_singular_and_plural_and_have_the_arguments_name(here, tmp_path):
    """`--bias` is `--biases`, and `--learning_rate` is as good as `--learning-rate`."""
    options = ["--weight", "0.5", "--bias", "0.25", "--learning_rates=0.0", "--outputs", "out"]
    assert here("trace", *options) == 0
    table = pd.read_csv(tmp_path / "out" / "training_step.csv")
    assert {0.5, 0.25} <= set(table.select_dtypes("number").to_numpy().ravel())


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize(("every", "rows"), [("none", []), ("2", [0, 2])])
def test_gradients_are_kept_as_every_says(every, rows, here, tmp_path, capsys):
    """Without gradients there are the learning curves, and no figure of gradients."""
    options = ["--activations", "tanh", "--seeds", "1", "--epochs", "1", "--every", every, "--output", "out"]
    assert here(*SMALL, *options) == 0
    assert sorted(set(kt.Comparison.load(tmp_path / "out").gradients["step"])) == rows
    drawn = {file.stem for file in (tmp_path / "out").glob("*.png")}
    assert drawn >= {"learning_curves", "test_scores"}
    assert ({"lecture", "gradient_flow", "gradient_heat_map"} <= drawn) == bool(rows)


@pytest.fixture
def own_models(tmp_path, monkeypatch):
    """Write two files of models, and forget them again."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    code = "import keras\ndef small():\n    layer = keras.layers.Dense(3, activation='softmax')\n"
    code += "    return keras.Sequential([layer])\ndef other():\n    return small()\n"
    (tmp_path / "nets").mkdir()
    for path in ("own_models.py", "nets/own_others.py"):
        (tmp_path / path).write_text(code)
    yield
    for name in ("own_models", "own_others"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["own_models:small", "own_models:other"], ["small", "other"]),
        (["own_models.py:small", "nets/own_others.py:other"], ["small", "other"]),
        (["own_models.py:small", "nets/own_others.py:small"], ["own_models.py:small", "nets/own_others.py:small"]),
    ],
)
@pytest.mark.usefixtures("own_models")
def test_models_of_ones_own_are_named_by_file_or_module(models, names, tmp_path, monkeypatch):
    """Files of the current folder and of others; two functions of one name are told apart by their files."""
    monkeypatch.chdir(tmp_path)
    found = builders(models)
    assert list(found) == names
    assert len({function.__module__ for function in found.values()}) == len({name.partition(":")[0] for name in models})


@pytest.mark.slow
@pytest.mark.usefixtures("own_models")
def test_models_of_ones_own_are_trained(here, tmp_path):
    """Each is a row of the summary."""
    options = ["--data", "iris", "--seeds", "1", "--epochs", "1"]
    assert here("compare", "--models", "own_models.py:small", "own_models.py:other", *options) == 0
    found = kt.Comparison.load(tmp_path / "kerasteach-comparison")
    assert found.summary().index.tolist() == ["small", "other"]


@pytest.fixture
def interrupt(here, monkeypatch):
    """Return a function that runs the command, and interrupts it after its first group of networks."""
    work = executor.work

    def run(*arguments):
        seen = []

        def once(*arguments):
            if seen:
                raise KeyboardInterrupt
            seen.append(1)
            return work(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(executor, "work", once)
            return here(*arguments)

    return run


@pytest.mark.slow
def test_an_interrupted_comparison_is_resumed(interrupt, here, tmp_path, capsys):
    """Ctrl-C keeps what there is and says how to go on; that, pasted, ends with the tables of the whole."""
    told = interrupt(*SMALL, "--optimizer", "adafactor", "--output", "my lecture/it's 1", "--format", "svg", "--dark")
    folder = tmp_path / "my lecture" / "it's 1"
    kept, _, hint = told.partition(" To go on: ")
    assert re.fullmatch(r"Interrupted\. 2 of 6 networks are kept in .*my lecture/it's 1\.", kept)
    assert here(*SMALL, "--output", folder) == 2
    assert "Go on with it, if it was interrupted, with --resume " in capsys.readouterr().err
    assert here("compare", "--resume", folder, "--epochs", "3") == 2
    assert "`--resume` goes on with the options" in capsys.readouterr().err
    name, *words = shlex.split(hint)
    assert (name, words[0], words[-1]) == ("kerasteach", "compare", "--dark")
    assert here(*words) == 0
    assert "lecture.svg" in capsys.readouterr().out
    whole = kt.compare(data="iris", hidden=(5, 5), seeds=2, epochs=2, optimizer="adafactor", verbose=0)
    pd.testing.assert_frame_equal(kt.Comparison.load(folder).history, whole.history)


@pytest.mark.slow
@pytest.mark.usefixtures("own_models", "undrawn")
def test_the_hint_after_an_interruption_names_ones_own_models(interrupt, here, tmp_path):
    """Without them, the comparison could not go on."""
    options = ["--data", "iris", "--seeds", "1", "--epochs", "1", "--every", "none", "--optimizer", "adafactor"]
    told = interrupt("compare", "--models", "own_models.py:small", "own_models.py:other", *options)
    _, *words = shlex.split(told.partition(" To go on: ")[2])
    assert here(*words) == 0
    found = kt.Comparison.load(tmp_path / "kerasteach-comparison")
    assert found.facts["finished"]
    assert found.summary().index.tolist() == ["small", "other"]


def test_an_interruption_before_the_training_promises_nothing(here, monkeypatch, tmp_path):
    """There is nothing to go on with."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(kt.experiment, "compare", interrupted)
    assert here(*SMALL) == "Interrupted before the training began."


@pytest.mark.parametrize(
    ("options", "parts"), [([], 1), (["--processes", "3"], 3), (["--processes", "3", "--parts", "2"], 2)]
)
def test_processes_share_the_networks(here, monkeypatch, options, parts):
    """A comparison has as many parts as processes, unless `--parts` says how many."""
    given = []

    def interrupted(**arguments):
        given.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(kt.experiment, "compare", interrupted)
    here(*SMALL, *options)
    assert given[0]["parts"] == parts
    assert (given[0]["executor"] is None) == (not options)


def test_resuming_needs_a_comparison(here, tmp_path, capsys):
    """A folder without one is refused, and not made."""
    assert here("compare", "--resume", "nowhere") == 2
    assert "must name the folder of a comparison" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_resuming_writes_summary_and_figures_anew(run, here, tmp_path, capsys):
    """A comparison that is finished is drawn again, without `--force`: the files there are its own."""
    *_, folder = run
    shutil.copytree(folder, tmp_path / "out")
    for name in ("summary.csv", "lecture.png"):
        (tmp_path / "out" / name).write_text("old")
    assert here("compare", "--resume", "out") == 0
    assert (tmp_path / "out" / "summary.csv").read_bytes() == (folder / "summary.csv").read_bytes()
    assert (tmp_path / "out" / "lecture.png").stat().st_size > 5000
    assert "out/lecture.png" in capsys.readouterr().out


def test_the_command_ends_without_a_search_for_garbage():
    """What TensorFlow made would take a second to search, as the process ends."""
    code = (
        "import atexit, gc, sys; atexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
        "from kerasteach.cli import main; sys.argv = ['kerasteach', '--version']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"
