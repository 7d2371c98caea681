"""How a sweep shows itself: the table of its cells, figures, what failed."""
