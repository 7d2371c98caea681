"""These tests need PyTorch."""

import pytest

pytest.importorskip("torch")
