import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.animation import writers

import kerasteach as kt
from kerasteach.cli import main
from kerasteach.experiment import running

SMALL = ["compare", "--data", "iris", "--hidden", "5", "5", "--seeds", "2", "--epochs", "2"]


def command(*arguments, cwd):
    """Run the command in a process of its own."""
    code = "from kerasteach.cli import main; main()"
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**environment, "COLUMNS": "120"},
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a small comparison once, and return what it printed and where."""
    folder = tmp_path_factory.mktemp("run")
    options = ["--activations", "sigmoid", "relu", "--error-below", "0.5", "--output", "out"]
    return command(*SMALL, *options, cwd=folder), folder / "out"


def test_compare_writes_figures_and_tables(run):
    """Exit status 0; the five figures and the tables are there, and nothing else."""
    done, folder = run
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in folder.iterdir()) == [
        *("gradient_flow.png", "gradients.parquet", "gradients_over_time.png", "history.parquet"),
        *("learning_curves.png", "lecture.png", "run.json", "summary.csv", "test_scores.png"),
    ]


def test_compare_prints_summary_and_paths(run):
    """A row an activation, a column a quantity, and where each figure is."""
    done, _ = run
    for word in ("sigmoid", "relu", "final loss", "test accuracy", "epochs to error < 0.5", "gradient ratio"):
        assert re.search(word.replace(" ", r"\s+"), done.stdout), word
    assert "out/lecture.png" in done.stdout


def test_compare_shows_progress_and_no_chatter(run):
    """Standard error has the bar, and none of TensorFlow's start."""
    done, _ = run
    assert "networks" in done.stderr
    assert "oneDNN" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_saved_run_is_the_comparison(run):
    """The tables on disk are what `compare` returns, and summary.csv its summary."""
    _, folder = run
    loaded = kt.Comparison.load(folder)
    summary = pd.read_csv(folder / "summary.csv", index_col="activation")
    pd.testing.assert_frame_equal(loaded.summary(), summary, check_dtype=False)
    assert loaded.history["activation"].unique().tolist() == ["sigmoid", "relu"]


def test_the_same_options_give_the_same_tables(run, tmp_path):
    """A second run in a process of its own repeats the first to the last digit."""
    _, folder = run
    options = ["--activations", "sigmoid", "relu", "--error-below", "0.5", "--output", "out", "--format", "svg"]
    done = command(*SMALL, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "lecture.svg").exists()
    first, second = kt.Comparison.load(folder), kt.Comparison.load(tmp_path / "out")
    pd.testing.assert_frame_equal(first.history, second.history, check_exact=True)
    pd.testing.assert_frame_equal(first.gradients, second.gradients, check_exact=True)


def test_existing_files_stay_without_force(run):
    """The error comes before any training, and names the way."""
    _, folder = run
    done = command(*SMALL, "--output", str(folder), cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("kerasteach: error: ")
    assert "lecture.png exists already. Choose another --output, or overwrite it with --force." in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--activations", "sigmoid", "relo"], "`activation` must be one of .*Received: activation='relo'"),
        (["--data", "digit"], "`data` must be one of .*Received: data='digit'"),
        (["--data", "points.csv"], "`x` must|no missing value.*missing in a"),
        (["--device", "gpu:7"], r"sees no such device.*kerasteach\[gpu\].*Received: device='gpu:7'"),
        (["--output", "points.csv/out"], "`--output` must be a folder that can be written"),
        (["--format", "gif"], "--format.*gif"),
        (["--epochs", "many"], "--epochs.*integer"),
        (["--activations"], "--activations"),
        (["--split-seed", "-1"], "`split_seed` must be a whole number from 0"),
        (["--epochs", "0"], "`epochs` must be a whole number from 1. Received: epochs=0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(options, message, tmp_path, monkeypatch, capsys):
    """No traceback, nothing written."""
    (tmp_path / "points.csv").write_text("a,target\n1,0\n,1\n3,0\n4,1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kerasteach", *SMALL, *options])
    command_module = sys.modules["kerasteach.cli.compare"]
    monkeypatch.setattr(command_module, "start_tensorflow", lambda: None)  # this process has started it
    with pytest.raises(SystemExit, match="2"):
        main()
    told = capsys.readouterr().err
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", told), told
    assert [file.name for file in tmp_path.iterdir()] == ["points.csv"]


def test_force_replaces_what_is_there(run, tmp_path):
    """With `--force` the files are new, without it they keep their bytes."""
    _, folder = run
    old = {file.name: file.read_bytes() for file in folder.iterdir()}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    options = ["--activations=tanh", "relu", "--output", str(tmp_path)]
    assert command(*SMALL, *options, cwd=tmp_path).returncode == 2
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == old
    assert command(*SMALL, *options, "--force", cwd=tmp_path).returncode == 0
    assert kt.Comparison.load(tmp_path).history["activation"].unique().tolist() == ["tanh", "relu"]


def test_without_a_command_there_is_help(tmp_path):
    """The bare command is no error."""
    done = command(cwd=tmp_path)
    assert (done.returncode, "Usage" in done.stdout) == (0, True)


def test_activations_draws_those_named(tmp_path):
    """Each is said in a line, and the figure is written."""
    done = command("activations", "tanh", "relu", "--output", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["tanh", "relu", "out/activation_functions.png"]


def test_trace_tells_the_courses_step(tmp_path):
    """Without options: the explanation, the table to 1e-6, and the figure."""
    done = command("trace", "--output", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dE/dw2 = (a2 - T) * a2 (1 - a2) * a1 = " in done.stdout
    assert done.stdout.splitlines()[-2:] == ["out/training_step.png", "out/training_step.csv"]
    table = pd.read_csv(tmp_path / "out" / "training_step.csv")
    new = table[table["quantity"].isin(["new W", "new b"])]["value"]
    assert new.tolist() == pytest.approx([0.1495914416, 0.3959144165, 0.4271718407, 0.6120974876], abs=1e-6)


@pytest.fixture
def in_this_process(tmp_path, monkeypatch):
    """Return a function that runs `kerasteach trace` here, where TensorFlow has started, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["kerasteach.cli.trace"], "start_tensorflow", lambda: None)

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["kerasteach", "trace", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return run


def test_trace_takes_a_saved_model_and_a_file(in_this_process, tmp_path, capsys):
    """The model's own loss and optimizer, the file's rows as the batch; Markdown where it is asked for."""
    model = kt.models.mlp("tanh", (2,), inputs=2, outputs=2, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(np.ones((2, 2)), np.ones(2), verbose=0)
    model.save(tmp_path / "model.keras")
    (tmp_path / "points.csv").write_text("a,b,target\n1,0.5,no\n-1,0.25,yes\n")
    assert in_this_process("--model", "model.keras", "--data", "points.csv", "--as", "markdown", "--format", "svg") == 0
    told = capsys.readouterr().out
    assert "### 3. Backpropagate and update" in told
    assert "by Adam's rule" in told
    assert {file.name for file in (tmp_path / "kerasteach-trace").iterdir()} == {
        "training_step.csv",
        "training_step.svg",
    }


def test_trace_of_a_large_model_writes_the_table(in_this_process, tmp_path, capsys):
    """What is too large to read is said so; the numbers are there all the same."""
    kt.models.mlp("relu", (20,), inputs=2, outputs=1, output_activation=None).save(tmp_path / "model.keras")
    assert in_this_process("--model", "model.keras", "--input", "1", "-2", "--learning-rate", "0.5") == 0
    told = capsys.readouterr().out
    assert "An explanation can be read for up to 12 units" in told
    assert [file.name for file in (tmp_path / "kerasteach-trace").iterdir()] == ["training_step.csv"]


DESCENT = ["descent", "--function", "rosenbrock", "--learning-rates", "0.001", "0.01"]


def test_descent_writes_figures_and_the_table_and_prints_verdicts(tmp_path):
    """The table on disk is what `gradient_descent` returns; the start may be negative; each verdict is a line."""
    options = ["--start", "-.5", "-1", "--steps", "8", "--optimizers", "plain_sgd", "sgd", "--output", "out"]
    done = command(*DESCENT, *options, "--animation", "gif", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        *("descent.csv", "descent.gif", "descent_path.png", "descent_values.png")
    ]
    table = pd.read_csv(tmp_path / "out" / "descent.csv")
    again = kt.gradient_descent("rosenbrock", (-0.5, -1.0), [0.001, 0.01], 8, optimizer=["plain_sgd", "sgd"])
    pd.testing.assert_frame_equal(table, again, check_dtype=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    found = {(line[0], line[1]): line[2] for line in lines if line and line[0] in ("plain_sgd", "sgd")}
    verdicts = again.groupby(["optimizer", "learning_rate"])["verdict"].first()
    assert found == {(name, f"{rate:g}"): word.split()[0] for (name, rate), word in verdicts.items()}
    assert "out/descent_path.png" in done.stdout
    assert "Traceback" not in done.stderr


def test_descent_needs_no_option(tmp_path):
    """It shows the trade-off on the parabola, in any format."""
    done = command("descent", "--format", "svg", "--paper", "--value-below", "1e-3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("still going", "converged", "diverged"))
    assert (tmp_path / "kerasteach-descent" / "descent_values.svg").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights", "1", "2", "3"], "`--weights` and `--biases` must have a number for each neuron"),
        (["--input", "1", "2"], "`--input` must have 1 numbers"),
        (["--activation", "sigmoyd"], "Did you mean 'sigmoid'"),
        (["--model", "there.keras"], "`--model` must be a file that Keras has saved"),
        (["--model", "there.keras", "--weights", "1"], "`--model` has its own weights"),
        (["--data", "points.csv", "--input", "1"], "`--data` has the examples"),
        (["--learning-rate", "-1"], "`learning_rate` must be finite and not negative"),
        (["--as", "html"], "--as.*html"),
    ],
)
def test_bad_input_to_trace_is_one_line(in_this_process, options, message, tmp_path, capsys):
    """No traceback, nothing written."""
    assert in_this_process(*options) == 2
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--function", "rosenbrok"], "Did you mean 'rosenbrock'"),
        (["--start", "1"], r"`start` must have a number for each coordinate of rosenbrock, as in \(-1.2, 1.0\)"),
        (["--start", "one"], "--start"),
        (["--learning-rates", "-1"], "`learning_rate` must be a finite number above 0"),
        (["--learning-rates", "nan"], "`learning_rate` must be a finite number above 0"),
        (["--steps", "0"], "`steps` must be a whole number from 1"),
        (["--optimizers", "adamm"], "`optimizer` must be a name that Keras knows"),
        (["--gradient-below", "0"], "never below 0"),
        (["--animation", "avi"], "--animation.*avi"),
        (["--animation", "mp4"], "needs the program ffmpeg"),
        (["--output", "there"], r"descent_path\.png exists already.*--force"),
    ],
)
def test_a_bad_descent_is_one_line_and_status_2(options, message, tmp_path, monkeypatch, capsys):
    """No traceback, nothing written."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "descent_path.png").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kerasteach", *DESCENT, *options])
    monkeypatch.setattr(sys.modules["kerasteach.cli.descent"], "start_tensorflow", lambda: None)
    monkeypatch.setattr(type(writers), "is_available", lambda self, name: False)
    with pytest.raises(SystemExit, match="2"):
        main()
    told = capsys.readouterr().err
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", told), told
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["descent_path.png", "there"]


def test_descent_help_names_the_gallery(tmp_path):
    """Every function, in the order of the gallery."""
    text = " ".join(command("descent", "--help", cwd=tmp_path).stdout.replace("│", " ").split())
    *first, last = kt.lessons.functions.names()
    assert f"{', '.join(first)} or {last}" in re.sub(r"-?-[a-z]+ <[^>]*> ", "", text)


def test_devices_lists_the_cpu(tmp_path):
    """The name that --device takes comes first."""
    done = command("devices", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cpu:0")


def test_version_and_help_answer(tmp_path):
    """`--version` prints it; `--help` names the commands."""
    assert command("--version", cwd=tmp_path).stdout == f"kerasteach {kt.__version__}\n"
    help_text = command("--help", cwd=tmp_path).stdout
    assert all(name in help_text for name in ("compare", "activations", "descent", "trace", "devices"))


def test_several_values_are_compared(tmp_path):
    """Several learning rates and depths make a grid; data with two features get a decision boundary."""
    options = ["--data", "moons", "--seeds", "1", "--epochs", "1", "--hidden", "4", "--output", "out"]
    done = command(
        "compare", *options, "--learning-rate", "0.1", "0.5", "--depth=1", "2", "--activations", "tanh", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = kt.Comparison.load(tmp_path / "out")
    assert found.summary().index.names == ["hidden_layers", "learning_rate"]
    assert len(found.summary()) == 4
    assert (tmp_path / "out" / "decision_boundary.png").exists()
    for word in ("learning rate", "hidden layers", "test accuracy difference"):
        assert re.search(word.replace(" ", r"\s+"), done.stdout), word


def test_models_of_ones_own_are_named_by_module_and_function(tmp_path):
    """Functions of a file in the current folder are trained; they can be trained in processes, too."""
    code = "import keras\ndef {}():\n    layer = keras.layers.Dense(3, activation='softmax')\n"
    code += "    return keras.Sequential([layer])\n"
    (tmp_path / "my_models.py").write_text(code.format("small") + code.format("other"))
    options = ["--models", "my_models:small", "my_models:other", "--data", "iris", "--seeds", "1", "--epochs", "1"]
    done = command("compare", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = kt.Comparison.load(tmp_path / "kerasteach-comparison")
    assert found.summary().index.tolist() == ["small", "other"]


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """Return the folder of a comparison that was interrupted after its first group."""
    work, seen = running.work, []

    def once(*arguments):
        if seen:
            raise KeyboardInterrupt
        seen.append(1)
        return work(*arguments)

    monkeypatch.setattr(running, "work", once)
    module = sys.modules["kerasteach.cli.compare"]
    monkeypatch.setattr(module, "start_tensorflow", lambda: None)  # this process has started it
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kerasteach", *SMALL, "--optimizer", "adafactor", "--output", "out"])
    with pytest.raises(SystemExit, match=r"2 of 6 networks are kept in out.* kerasteach compare --resume out"):
        main()
    monkeypatch.setattr(running, "work", work)
    return tmp_path / "out"


def test_an_interrupted_comparison_is_resumed(interrupted, monkeypatch, capsys):
    """Ctrl-C keeps what there is and says how to go on; `--resume` ends with the tables of the whole."""
    monkeypatch.setattr(sys, "argv", ["kerasteach", *SMALL, "--output", "out"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "Go on with it, if it was interrupted, with --resume out" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["kerasteach", "compare", "--resume", "out", "--epochs", "3"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "`--resume` goes on with the options" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["kerasteach", "compare", "--resume", "out"])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "out/lecture.png" in capsys.readouterr().out
    whole = kt.compare(data="iris", hidden=(5, 5), seeds=2, epochs=2, optimizer="adafactor", progress=False)
    pd.testing.assert_frame_equal(kt.Comparison.load(interrupted).history, whole.history, check_exact=True)
