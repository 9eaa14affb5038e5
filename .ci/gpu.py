"""Check kerasteach on a machine with a GPU that has JAX and PyTorch with CUDA, and perhaps no network.

    python .ci/gpu.py wheels          # where there is a network: what such a machine lacks, into gpu-wheels/
    python .ci/gpu.py check           # there, in under 6 minutes: tests/gpu and benchmarks/gpu.py, on both backends
    python .ci/gpu.py check --device cpu    # the same without a GPU: whether the check itself works

The check installs the wheels into a folder of its own, without what they depend on, and leaves the machine as it was.
It prints its report, and writes it into gpu-check.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
TRAVELLING = ("keras", "namex", "optree")  # what Keras needs and a machine with JAX and PyTorch may not have
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (17, 24, 27, 28)] + ["manylinux2014_x86_64"]
BACKENDS = ("jax", "torch")
# Modules that the check needs besides: what kerasteach and Keras import, and what the tests do.
NEEDED = (
    *("absl", "h5py", "hypothesis", "jax", "jinja2", "matplotlib", "ml_dtypes", "numpy", "packaging", "pandas", "pip"),
    *("pyarrow", "pytest", "rich", "seaborn", "sklearn", "torch", "typer"),
)
LEAST = 20  # seconds that a part is given in any case
SIZES = {"gpu": ["1e5", "1e7", "1e8"], "cpu": ["1e4", "1e5"]}


def make_wheels(folder: Path, further: list[str]) -> None:
    """Build kerasteach's wheel, and download Keras's packages for each Python, and further ones."""
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    for python in PYTHONS:
        download = [*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", python]
        command = [*download, "--implementation", "cp", *platforms, "--dest", folder, *TRAVELLING, *further]
        subprocess.run(command, check=True)
    for wheel in sorted(folder.iterdir()):
        print(f"{wheel.stat().st_size / 1000:6.0f} kB  {wheel}")


def problem(wheels: Path) -> str | None:
    """Return what keeps the check from running; `None` if nothing does."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return f"{sys.executable} has no {', '.join(missing)}. Name the packages behind `gpu.py wheels`."
    found = sorted(wheels.glob("kerasteach-*.whl"))
    if len(found) != 1:
        return f"There must be one wheel of kerasteach in {wheels}. Make it: python .ci/gpu.py wheels"
    with ZipFile(found[0]) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist() if name.endswith(".py")}
    for name, content in files.items():
        places = [ROOT / name, ROOT / Path(*Path(name).parts[1:])]  # callbacks/ and tutorials/ stand at the top
        if not any(place.is_file() and place.read_bytes() == content for place in places):
            return f"{found[0].name} is older than {name}. Make the wheels again: python .ci/gpu.py wheels"
    return None


def environment(site: Path, backend: str, device: str) -> dict[str, str]:
    """Return the environment variables of a process that sees the wheels and, for the CPU, no GPU."""
    settings = {
        "KERAS_BACKEND": backend,
        "KERAS_HOME": str(site / "keras-home"),
        "MPLBACKEND": "Agg",
        "PYTHONPATH": str(site),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    inherited = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"} if device == "cpu" else {}
    return {**inherited, **settings, **hidden}


def run(command: list[str], folder: Path, variables: dict[str, str], seconds: float) -> tuple[str, str]:
    """Run a command, and return how it ended and what it printed."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
        return f"not finished within {seconds:.0f} s", printed
    if done.returncode:
        return f"FAILED with status {done.returncode}", done.stdout + done.stderr[-3000:]
    return "done", done.stdout


def card() -> str:
    """Return the name of the GPU and its driver."""
    if shutil.which("nvidia-smi") is None:
        return "no nvidia-smi"
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()


def check(wheels: Path, device: str, report: Path, limit: float) -> bool:
    """Test and measure on both backends, write the report, and return whether everything passed."""
    start, good = time.monotonic(), True
    lines = [f"# kerasteach on a {device.upper()}", "", f"{card()}; Python {sys.version.split()[0]}"]
    with tempfile.TemporaryDirectory() as temporary:
        site, work = Path(temporary, "site"), Path(temporary, "work")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
        where = ["--find-links", str(wheels), "--target", str(site)]
        subprocess.run([*pip, *where, *TRAVELLING, "kerasteach"], check=True)
        # Away from the sources, which Python would import in place of the wheel.
        shutil.copytree(ROOT / "tests", work / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", work)
        shutil.copy(ROOT / "benchmarks" / "gpu.py", work)
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
        # Another version of a package may warn of what the suite takes for an error, which says nothing of a GPU.
        pytest += ["-o", "filterwarnings=default"]
        parts = {
            "tests": lambda backend: [*pytest, "--backend", backend, "--device", device, "tests/gpu"],
            "cost": lambda _: [sys.executable, "gpu.py", "--device", device, "--weights", *SIZES[device]],
        }
        steps = [(title, backend) for title in parts for backend in BACKENDS]
        for number, (title, backend) in enumerate(steps):
            left = limit - (time.monotonic() - start) - LEAST * (len(steps) - number - 1)
            how, printed = run(parts[title](backend), work, environment(site, backend, device), max(LEAST, left))
            skipped = title == "tests" and " passed" not in printed
            good = good and how == "done" and not skipped
            text = printed if title == "cost" else f"```text\n{printed.strip()[-4000:]}\n```"
            lines += [
                "",
                f"## {title.capitalize()} on {backend}: {'NOTHING RAN' if skipped else how}",
                "",
                text.strip(),
            ]
            print(f"{title} on {backend}: {lines[-3].partition(': ')[2]}", flush=True)
    lines += ["", f"{time.monotonic() - start:.0f} s in all."]
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n" + report.read_text(encoding="utf-8"))
    return good


def main() -> None:
    """Make the wheels, or check with them; the status is 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("wheels", "check"))
    parser.add_argument("packages", nargs="*", help="further packages for the wheels")
    parser.add_argument("--folder", type=Path, default=ROOT / "gpu-wheels")
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--report", type=Path, default=ROOT / "gpu-check.md")
    parser.add_argument("--limit", type=float, default=345, help="seconds in all, of which each part gets what is left")
    arguments = parser.parse_args()
    if arguments.what == "wheels":
        make_wheels(arguments.folder, arguments.packages)
        return
    found = problem(arguments.folder)
    if found:
        sys.exit(found)
    sys.exit(not check(arguments.folder, arguments.device, arguments.report, arguments.limit))


if __name__ == "__main__":
    main()
