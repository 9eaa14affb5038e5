"""The rules of the diagnosis, each as a section, from the registry that the diagnosis itself uses."""

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

# A sentence that stands at the head of the page instead.
ELSEWHERE = "Its threshold and how often it is right: docs/diagnosis.md. "


def sections():
    """Return the Markdown of all rules: what `kt.diagnosis.explain` says, with a heading for each."""
    from kerasteach.diagnosis import explain
    from kerasteach.diagnosis.rules import _ALL

    parts = []
    for identifier in _ALL:
        title, *paragraphs = explain(identifier).split("\n\n")
        parts += [f"({identifier.lower()})=", f"## {title}", ""]
        for paragraph in paragraphs:
            name, _, rest = paragraph.removeprefix(ELSEWHERE).partition(": ")
            parts += [f"**{name}:** {rest}", ""]
    return "\n".join(parts)


class Rules(Directive):
    """All rules."""

    def run(self):
        """Return a section for each rule."""
        box = nodes.section()
        box.document = self.state.document
        self.state.nested_parse(StringList(sections().splitlines(), "rules"), 0, box, match_titles=True)
        return box.children


def setup(app):
    """Register the directive."""
    app.add_directive("rules", Rules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
