"""A run with awkward names, and a page of it taken apart, for the tests of this folder."""

from html.parser import HTMLParser

from gallery_cases import networks

from kerasteach.report.about import About
from kerasteach.tables.run import Run

NETWORKS = ("<script>alert(1)</script>", 'a "b" & $c$', "relu")
LAYER = "<img src=x onerror=alert(2)>_{}"
ABOUT = About(
    "<b>Three</b> networks",
    {"data": "<i>ours</i>"},
    lead="</style><script>alert(3)</script>",
    call='kt.compare(data="<u>")',
    call_note="Hand over `<your>` functions.",
    versions={"keras": "3.15.1"},
)
_VOID = {"meta", "img", "input", "br", "source"}


def run(note=""):
    """Return three networks with three seeds; of the first the gradient vanishes, and it does not learn."""
    tables = networks(3, seeds=3, epochs=4, layers=4, names=NETWORKS, layer=LAYER)
    gradients = tables.gradients.drop(columns="update_ratio").assign(finite=True, size=4)
    gradients["path"] = gradients["layer"] + "/" + gradients["parameter"]
    history = tables.history
    stuck = history["activation"] == NETWORKS[0]
    history.loc[stuck, "value"] = history["metric"].map(lambda name: 0.1 if name.endswith("accuracy") else 2.3)
    return Run({"history": history, "gradients": gradients}, task="classification", note=note)


class Page(HTMLParser):
    """The elements of a page: `(tag, attributes)` in order, and the text of each."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        if tag not in _VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        """Close the innermost element of this name."""
        while self._open and self.elements[self._open.pop()][0] != tag:
            pass

    def handle_data(self, data):
        """Add a text to the elements that are open."""
        for number in self._open:
            self.texts[number] += data

    def all(self, tag, **attributes):
        """Return the `(attributes, text)` of each element with these attributes."""
        return [
            (found, text)
            for (name, found), text in zip(self.elements, self.texts, strict=True)
            if name == tag and attributes.items() <= found.items()
        ]
