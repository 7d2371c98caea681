"""A module of models, data and losses as a user writes one, for `finitewidth check`."""

MODELS = """
import numpy as np
import torch
from torch import nn


def make():
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()


def known(width=40, depth=3):
    sizes, layers = [5, *[width] * (depth - 1), 1], []
    for k in range(depth):
        linear = nn.Linear(sizes[k], sizes[k + 1])
        last = k == depth - 1
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear" if last else "relu")
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).double()


def data():
    return np.linspace(-1, 1, 30).reshape(6, 5), np.linspace(-1, 1, 12).reshape(6, 2)


def one():
    return np.linspace(-1, 1, 30).reshape(6, 5), np.linspace(-1, 1, 6)


def absolute(output, y):
    return (output - y).abs().sum()


def shorter():
    return np.zeros((6, 5)), np.zeros(4)


def three():
    return 1, 2, 3


def ragged():
    return [[1.0], [1.0, 2.0]]


def three_classes():
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()


def doubled(model, batch):
    return 2 * model(batch)


def number():
    return 3


def fails():
    raise KeyError("hidden_size")
"""
