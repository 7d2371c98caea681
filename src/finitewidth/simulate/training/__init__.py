"""Training random networks, many at once, over matrices that are stored or only met in products.

`train`, `problem`, `plan`, `store` and `trajectory` need no PyTorch; the others are imported when a
run starts.
"""
