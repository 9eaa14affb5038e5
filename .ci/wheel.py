"""Build sdist and wheel, check both, and test the wheel in an environment of its own, far from the sources.

The wheel is made from the sdist. The environment has the wheel and, of this one, all packages but kerasteach.
"""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
# A quick part of the tests, with Keras and without: tables, optimizers, a callback.
CORE = ["tables", "test_optimizers.py", "callbacks/test_stop_on_error.py"]
LARGEST = 1_000_000  # bytes; what is larger has something in it that is no source text


def run(*command: object, cwd: Path) -> str:
    """Run a command, end with its output where it fails, and return what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def built(folder: Path) -> Path:
    """Build sdist and wheel into a folder, check what an index would, and return the wheel."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    run(sys.executable, "-m", "twine", "check", "--strict", *folder.iterdir(), cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment(folder: Path, wheel: Path) -> Path:
    """Install a wheel into a new environment that sees this one's packages, and return its Python."""
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", code, cwd=folder).strip())
    # Python reads no .pth file of a folder that a .pth file names, so that an editable install there stays unseen.
    lines = [sysconfig.get_path("purelib"), *(path for path in sys.path if path.endswith("site-packages"))]
    (site / "packages.pth").write_text("\n".join(dict.fromkeys(lines)), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--force-reinstall"]
    run(*pip, wheel, cwd=folder)
    return python


def check(python: Path, folder: Path, version: str) -> None:
    """Run the command and the core of the tests with the installed package."""
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    place = run(python, "-c", "import kerasteach; print(kerasteach.__file__)", cwd=folder).strip()
    if python.parents[1] not in Path(place).parents:
        raise SystemExit(f"The tests would run with another kerasteach: {place}")
    command = [python, "-c", "from kerasteach.cli import main; main()"]
    if run(*command, "--version", cwd=folder).strip() != f"kerasteach {version}":
        raise SystemExit("The command has another version than the wheel.")
    listed = run(*command, "tutorials", cwd=folder).splitlines()
    if len(listed) != len(list((ROOT / "tutorials").glob("[0-9]*.py"))):
        raise SystemExit(f"Tutorials are missing in the wheel; there are: {listed}")
    tests = [folder / "tests" / name for name in CORE]
    print(run(python, "-m", "pytest", "-q", "-m", "not slow", *tests, cwd=folder).splitlines()[-1])


def main() -> None:
    """Build, check and test; the first failure ends it."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        for name in ("dist", "environment", "away"):
            (work / name).mkdir()
        wheel = built(work / "dist")
        size, files = wheel.stat().st_size, len(ZipFile(wheel).namelist())
        print(f"{wheel.name}: {size / 1000:.0f} kB, {files} files")
        if size > LARGEST:
            raise SystemExit(f"The wheel is larger than {LARGEST / 1000:.0f} kB.")
        check(environment(work / "environment", wheel), work / "away", wheel.name.split("-")[1])


if __name__ == "__main__":
    main()
