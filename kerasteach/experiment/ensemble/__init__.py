"""Train many networks of one shape together, in one graph."""
