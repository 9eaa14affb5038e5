"""Result of a diagnosis: findings, each with its evidence and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from kerasteach.diagnosis.rules import rule_of
from kerasteach.display import Displayed
from kerasteach.validation import whole

COLUMNS = ("rule", "severity", "layers", "epochs", "evidence", "value", "threshold", "seeds")


@dataclass(frozen=True, eq=False, repr=False)
class Findings(Displayed):
    """What a diagnosis found, and what it looked at. It is true where it found something.

    Attributes:
        frame: A row a finding: the columns that distinguish networks, then `rule`, `severity` (`"error"`: nothing can
            be learned so; `"warning"`), `layers`, `epochs`, `evidence` (a sentence), `value` (the number that the rule
            looks at), `threshold` (from where on it speaks), and `seeds` (of how many, `"8 of 10"`).
        looked_at: The identifiers of the rules that had what they need.
        skipped: Of the others, the table or the statistic that is missing: `{"KT201": "history"}`.
        frozen: The layers that no step changes because they are frozen, which is no fault and shown below; they have
            no gradient that could be judged. Known of a `GradientCapture` and of `kerasteach.preflight`. Defaults to
            none.
        disconnected: The layers that the loss does not depend on, which is not always a fault and shown below
            likewise. Known of a `GradientCapture`. Defaults to none.
    """

    frame: pd.DataFrame
    looked_at: tuple[str, ...]
    skipped: dict[str, str]
    frozen: tuple[str, ...] = ()
    disconnected: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __str__(self) -> str:
        return "\n\n".join([*map(self.sentence, range(len(self))), self._end()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [*map(self.sentence, range(len(self))), self._end()]
        return "\n".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in parts)

    def sentence(self, number: int) -> str:
        """Return one finding in words: its name, the evidence, and what to try.

        Args:
            number: Its row in `frame`, from 0.

        Raises:
            ValueError: If there is no such row.
            TypeError: If it is no whole number.
        """
        row = self.frame.iloc[whole("number", number, least=0, most=len(self) - 1)]
        rule = rule_of(row["rule"])
        keys = list(self.frame.columns[: list(self.frame.columns).index("rule")])
        names = ", ".join(_name(key, row[key]) for key in keys)
        seeds = f" ({row['seeds']} seeds)" if row["seeds"] != "1 of 1" else ""
        head = f"{f'{names}: ' if names else ''}{rule.name} ({rule.id}, {row['severity']}){seeds}"
        return f"{head}\n  {row['evidence'][:1].upper()}{row['evidence'][1:]}.\n  Try: {rule.remedy}"

    def _end(self) -> str:
        looked = f"Looked at: {_listed([rule_of(rule).name for rule in self.looked_at])}." if self.looked_at else ""
        needs: dict[str, list[str]] = {}
        for rule, need in self.skipped.items():
            needs.setdefault(need, []).append(rule_of(rule).name)
        skipped = [f"Not looked at, without {_needed(need)}: {_listed(rules)}." for need, rules in needs.items()]
        found = "" if self else "No finding."
        more = 'kt.diagnosis.explain("KT201") explains a rule.' if self else ""
        frozen = f"Frozen, and not looked at: {_listed(self.frozen)}." if self.frozen else ""
        unused = f"The loss does not depend on: {_listed(self.disconnected)}." if self.disconnected else ""
        more = more.replace("KT201", str(self.frame["rule"].iloc[0])) if self else ""
        return " ".join(part for part in (found, looked, *skipped, frozen, unused, more) if part)


def _name(key: str, value: object) -> str:
    return str(value) if isinstance(value, str) else f"{str(key).replace('_', ' ')} {value}"


def _needed(need: str) -> str:
    return f"`{need}=`" if need in ("gradients", "activations", "history") else f"the statistic {need}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
