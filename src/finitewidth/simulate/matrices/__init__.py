"""The matrices of a batch of networks: what is asked of them, stored ones, products, threads."""
