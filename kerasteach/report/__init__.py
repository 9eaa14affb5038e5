"""Pages to hand out, from tidy tables: each is one file that loads nothing. Nothing here needs Keras or TensorFlow.

`page` fills a template of `templates/` in and gives the page its Content-Security-Policy; `write_page` writes it. All
that a page shows goes through Jinja's escaping, so that a layer called `<script>` stays text.
"""
