"""Who computes the chunks, and in which order; nothing of what they are."""
