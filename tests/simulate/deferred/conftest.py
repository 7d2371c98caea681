"""Tests of the deferred matrices, which need PyTorch."""

import pytest

pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
