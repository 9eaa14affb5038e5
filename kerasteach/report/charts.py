"""Charts that answer the reader, by Vega-Altair: their specifications, and the scripts that draw them.

They need the extra `report`. The colors are CSS variables, so that they follow the reader's setting and print well.
"""

from __future__ import annotations

import gzip
import math
from base64 import b64encode
from functools import cache
from typing import Any, NamedTuple

from kerasteach.plotting.style import looks, style
from kerasteach.report.chart_data import ChartData, ChartSet, Choice

# The outline of each of matplotlib's markers that `kerasteach.plotting.style` has, in a square from -1 to 1.
OUTLINES = {
    "o": "M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z",
    "s": "M-.9,-.9L.9,-.9L.9,.9L-.9,.9Z",
    "^": "M0,-1L1,.85L-1,.85Z",
    "v": "M0,1L1,-.85L-1,-.85Z",
    "<": "M-1,0L.85,-1L.85,1Z",
    ">": "M1,0L-.85,-1L-.85,1Z",
    "D": "M0,-1.1L1.1,0L0,1.1L-1.1,0Z",
    "P": "M-.35,-1L.35,-1L.35,-.35L1,-.35L1,.35L.35,.35L.35,1L-.35,1L-.35,.35L-1,.35L-1,-.35L-.35,-.35Z",
    "X": "M-1,-.55L-.55,-1L0,-.45L.55,-1L1,-.55L.45,0L1,.55L.55,1L0,.45L-.55,1L-1,.55L-.45,0Z",
    "*": "M0,-1.1L.27,-.37L1.05,-.34L.44,.14L.65,.89L0,.46L-.65,.89L-.44,.14L-1.05,-.34L-.27,-.37Z",
    "p": "M0,-1L.95,-.31L.59,.81L-.59,.81L-.95,-.31Z",
    "h": "M0,-1L.87,-.5L.87,.5L0,1L-.87,.5L-.87,-.5Z",
}


class Library(NamedTuple):
    """Vega, Vega-Lite and Vega-Embed.

    Attributes:
        code: Their JavaScript.
        packed: The same, compressed by gzip, in base64.
        versions: What they are, in words.
    """

    code: str
    packed: str
    versions: str


def available() -> bool:
    """Say whether the extra `report` is installed."""
    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def library() -> Library:
    """Return the libraries that draw the charts, as one script; the first call takes some seconds."""
    import vl_convert

    code = f"(() => {{{vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;')}}})();"
    packed = b64encode(gzip.compress(code.encode(), mtime=0)).decode()
    lite = vl_convert.get_vegalite_versions()[-1]
    versions = (
        f"Vega {vl_convert.get_vega_version()}, Vega-Lite {lite}, Vega-Embed {vl_convert.get_vega_embed_version()}"
    )
    return Library(code, packed, versions)


def chart_values(charts: ChartSet) -> dict[str, Any]:
    """Return what the page's script needs of the charts, as JSON can hold it."""
    marks = [OUTLINES[look.marker] for look in looks(charts.keys).values()]
    return {
        "networks": charts.networks,
        "marks": marks,
        "seeds": charts.seeds,
        "charts": [
            {
                "name": chart.name,
                "acrossIs": chart.across_is,
                "choices": [{"log": choice.log} for choice in chart.choices],
                "epochs": chart.epochs,
                "places": chart.places,
                "rows": chart.rows,
                "specs": [_spec(chart, choice, marks) for choice in chart.choices],
            }
            for chart in charts.charts
        ],
    }


def colors(charts: ChartSet) -> str:
    """Return the style rules with the color of each network, on a light and on a dark ground."""
    with style(dark=False):
        light = _variables(charts)
    with style(dark=True):
        dark = _variables(charts)
    inks = "\n".join(f".ink-{number} {{ fill: var(--network-{number}); }}" for number in range(len(charts.networks)))
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{inks}"


def _variables(charts: ChartSet) -> str:
    found = looks(charts.keys).values()
    return " ".join(f"--network-{number}: {look.color};" for number, look in enumerate(found))


def _spec(chart: ChartData, choice: Choice, marks: list[str]) -> dict[str, Any]:
    """Return the specification of a chart, which draws the table `points` that the page's script fills.

    The table has the columns `network` (its number), `place`, `middle`, `low` and `high`.
    """
    import altair as alt

    scale = alt.Scale(type="log" if choice.log else "linear", domain=[choice.low, choice.high], nice=False, clamp=True)
    axis = alt.Axis(format="~e" if choice.log else "~g", titlePadding=8, **_ticks(choice))
    middle = alt.Y("middle:Q", title=choice.axis, scale=scale, axis=axis)
    numbers = list(range(len(marks)))
    colors = alt.Scale(domain=numbers, range=[f"var(--network-{number})" for number in numbers])
    shape = alt.Shape("network:N", scale=alt.Scale(domain=numbers, range=marks), legend=None)
    base = alt.Chart(alt.NamedData(name="points")).encode(
        x=_across(chart), color=alt.Color("network:N", scale=colors, legend=None)
    )
    hover = alt.selection_point(
        name="hover", nearest=True, on="pointerover", clear="pointerout", fields=["place"], empty=False
    )
    shown = alt.condition(hover, alt.value(0.8), alt.value(0))
    spec: dict[str, Any] = (
        alt.layer(
            base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
            base.mark_rule(strokeWidth=1.5)
            .encode(color=alt.value("var(--muted)"), opacity=shown)
            .transform_aggregate(groupby=["place"]),
            base.mark_line(strokeWidth=2.5).encode(y=middle),
            base.mark_point(filled=True, size=80, opacity=1).encode(y=middle, shape=shape),
            # With a name, or Altair 5 counts all charts of the process for one, and no page is as the last.
            base.mark_point(size=400, opacity=0).encode(y=middle).properties(name="pointed").add_params(hover),
        )
        .properties(width="container", height=330)
        .configure(**_LOOK)
        .to_dict()
    )
    return spec


def _across(chart: ChartData) -> Any:
    """Return the horizontal axis: the layers, each with its number, or the epochs."""
    import altair as alt

    ends = [min(chart.places) - 0.3, max(chart.places) + 0.3]
    ticks: dict[str, Any] = {"values": list(chart.places)} if chart.epochs else {}
    axis = alt.Axis(format="d", tickMinStep=1, grid=False, labelOverlap=True, **ticks)
    return alt.X("place:Q", title=chart.across, scale=alt.Scale(domain=ends, nice=False, zero=False), axis=axis)


def _ticks(choice: Choice) -> dict[str, Any]:
    """Return where the grid lies: on a logarithmic axis at powers of ten, at most nine of them."""
    if not choice.log:
        return {"tickCount": 6}
    powers = range(math.ceil(math.log10(choice.low)), math.floor(math.log10(choice.high)) + 1)
    return {"values": [float(f"1e{power}") for power in powers[:: max(1, -(-len(powers) // 9))]]}


_TEXT = {"labelColor": "var(--text)", "titleColor": "var(--text)", "labelFontSize": 13, "titleFontSize": 14}
_LOOK: dict[str, Any] = {
    "autosize": {"type": "fit-x", "contains": "padding"},
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        **_TEXT,
        "titleFontWeight": "normal",
        "domainColor": "var(--muted)",
        "tickColor": "var(--muted)",
        "gridColor": "var(--line)",
    },
}
