"""How curves of many networks are shown: medians and bands, tables by step, figures."""
