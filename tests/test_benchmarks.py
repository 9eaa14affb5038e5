"""The tables that the benchmarks print."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="without the sources there are no benchmarks")
def test_the_comparisons_table_has_the_seconds_and_their_ratios(monkeypatch):
    """By a clock that each variant moves on: three seconds are 1.5 of two; the round to warm up does not count."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import comparison_speed

    now, slow = [0.0], [100.0]
    monkeypatch.setattr(comparison_speed.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(comparison_speed.time, "process_time", lambda: 2 * now[0])

    def first() -> None:
        now[0] += slow.pop() if slow else 2

    def second() -> None:
        now[0] += 3

    title, _, row = comparison_speed.table({"one": first, "two": second}, rounds=3).splitlines()
    assert title.startswith("one: 2 seconds")
    assert row.split() == ["two", "3.0", "1.5", "1.5", "1.5", "1.5"]
    sys.modules.pop("comparison_speed")
