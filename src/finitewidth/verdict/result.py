"""The one-file HTML report of a verdict."""

from finitewidth.cli import check_tables as tables
from finitewidth.cli.check_plots import plots
from finitewidth.cli.check_view import Setting, other_notes, sentence
from finitewidth.report import Page, Provenance, Section
from finitewidth.verdict import Check


def page(check: Check, setting: Setting) -> Page:
    """Verdict, numbers, figures, theory."""
    figures = plots(check)
    return Page(
        f"Verdict: {check.verdict}",
        [f"Model {setting.model}. {sentence(check)}", *check.limits],
        [
            Section(
                "The numbers",
                [tables.numbers(check, setting.caption()), tables.meanings(check)],
            ),
            Section("Seeds at the start", figures[:1]),
            *([Section("Training", figures[1:-1])] if figures[1:-1] else []),
            Section("Layer by layer", [tables.shares(check), figures[-1]]),
            Section(
                "Theory, and what the statements hold for", [check.theory, *other_notes(check)]
            ),
        ],
        provenance(setting, check.seeds),
    )


def provenance(setting: Setting, seeds: int) -> Provenance:
    """The footer."""
    import torch

    return Provenance.now(
        0,
        **{
            "seeds of the models": f"0 … {seeds - 1}",
            "model": setting.model,
            "data": setting.told,
            "PyTorch": torch.__version__,
        },
    )
