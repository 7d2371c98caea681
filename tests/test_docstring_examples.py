"""The examples in the docstrings of what a reader uses first print what they say."""

import doctest

import pytest

import finitewidth as fw

EXAMPLES = {
    "KernelLaw": (lambda: fw.KernelLaw, False),
    "check": (lambda: fw.check, True),
    "measure.kernel": (lambda: fw.measure.kernel, True),
    "measure.ensemble": (lambda: fw.measure.ensemble, True),
    "simulate.train": (lambda: fw.simulate.train, True),
    "expansion.kernel": (lambda: fw.expansion.kernel, False),
}
"""Name: how to reach it, and whether it needs PyTorch."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_prints_what_it_says(name: str) -> None:
    reach, needs_torch = EXAMPLES[name]
    if needs_torch:
        pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    text = reach().__doc__
    assert text is not None
    assert "Examples\n" in text
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert not failed, "".join(said)
