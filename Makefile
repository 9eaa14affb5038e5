# The few verbs of this project. On a machine with Python 3.10 to 3.13, `make demo` and `make test` set up all the rest.
.PHONY: demo test test-all test-share wheel gallery docs messages diagnosis-quality gpu-wheels gpu-check lint types clean
.DEFAULT_GOAL := help

SUITABLE = import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.10 python; do \
	if $$python -c '$(SUITABLE)' >/dev/null 2>&1; then echo $$python; break; fi; done)

help:
	@echo "make demo      set up and compare sigmoid, tanh and ReLU networks; figures in kerasteach-comparison/"
	@echo "make test      set up and run the tests"
	@echo "make test-all  the longer matrix too, with two devices, JAX and PyTorch"
	@echo "make test-share  today's fourteenth of the longer matrix"
	@echo "make wheel     build sdist and wheel, check them, and test the wheel away from its sources"
	@echo "make gallery   contact sheets of every figure in every style, in gallery/"
	@echo "make docs      the documentation site, in docs/_build/html/"
	@echo "make messages  bring the translations up to date with the code, and compile them"
	@echo "make diagnosis-quality  how often each rule of the diagnosis is right (hours)"
	@echo "make gpu-wheels  what a machine with a GPU and no network needs, in gpu-wheels/"
	@echo "make gpu-check   there: tests and costs on its GPU (6 minutes), in gpu-check.md; DEVICE=cpu rehearses it"
	@echo "make lint      ruff: style and format"
	@echo "make types     mypy, strict"
	@echo "make clean     remove what all of these made"

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "kerasteach needs Python 3.10 to 3.13 (TensorFlow has no wheel beyond), and found none." \
		"Install one, from python.org or with your system's package manager, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	.venv/bin/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	@touch .venv/installed $@

.venv/installed-backends: .venv/installed-dev
	.venv/bin/python -m pip install --quiet --editable ".[dev,backends]"
	@touch $@

demo: .venv/installed
	.venv/bin/kerasteach compare --error-below 0.05 --output kerasteach-comparison --force

test: .venv/installed-dev
	.venv/bin/pytest -n 2 --dist worksteal -m "not slow"

test-all: .venv/installed-backends
	.venv/bin/pytest -n 2 --dist worksteal
	.venv/bin/pytest --backend mirrored
	.venv/bin/pytest --backend jax
	.venv/bin/pytest --backend torch

# A fourteenth of the longer matrix, chosen by the day of the year: each part runs once in two weeks.
test-share: .venv/installed-dev
	.venv/bin/python .ci/share.py

wheel: .venv/installed-dev
	.venv/bin/python .ci/wheel.py

# Some 1,700 trainings, which take hours; a run that was interrupted goes on.
diagnosis-quality: .venv/installed-dev
	.venv/bin/python benchmarks/diagnosis_quality.py train --out diagnosis-quality
	.venv/bin/python benchmarks/diagnosis_quality.py report --out diagnosis-quality

gpu-wheels: .venv/installed-dev
	.venv/bin/python .ci/gpu.py wheels

# With the machine's own Python, which has JAX and PyTorch with CUDA; nothing is installed but in a temporary folder.
gpu-check:
	$(PYTHON) .ci/gpu.py check --device $(or $(DEVICE),gpu)

messages: .venv/installed-dev
	.venv/bin/python .ci/messages.py

gallery: .venv/installed-dev
	.venv/bin/python tests/plotting/gallery.py

# Pages are read, tutorials executed and pictures drawn again only where something changed. A warning is an error.
docs: .venv/installed-dev
	.venv/bin/python -m sphinx -W --keep-going --nitpicky --quiet docs docs/_build/html
	@echo docs/_build/html/index.html

lint: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

# Type checkers do not see an editable install, so a regular one is made for them.
types: .venv/installed-dev
	rm -rf build
	.venv/bin/python -m pip install --quiet --no-deps --target build/typed .
	.venv/bin/mypy build/typed/kerasteach

clean:
	rm -rf .venv build dist docs/_build docs/reference docs/tutorials/*.py docs/tutorials/notebooks *.egg-info kerasteach-comparison figures gallery gpu-wheels gpu-check.md .pytest_cache .mypy_cache .ruff_cache .hypothesis
