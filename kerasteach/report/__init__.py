"""Pages to hand out, from tidy tables: each is one file that loads nothing. Nothing here needs Keras or TensorFlow.

`page.page` fills a template of `templates/` in and gives the page its Content-Security-Policy; `page.write_page` writes
it. All that a page shows goes through Jinja's escaping, so that a layer called `<script>` stays text.
"""

from kerasteach.report.write_report import write_report

__all__ = ["write_report"]
