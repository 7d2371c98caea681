"""Which chunks of which cells are computed, until every cell is finished."""
