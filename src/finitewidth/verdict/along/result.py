"""`ChecksAlong`: verdicts at several values of an argument, which show themselves."""

from finitewidth.report import Page, Record, Section, Shown
from finitewidth.verdict.along import figures, tables
from finitewidth.verdict.along.powers import QUANTITIES
from finitewidth.verdict.along.reach import reach
from finitewidth.verdict.along.values import Along
from finitewidth.verdict.page import numbers
from finitewidth.verdict.result import provenance


class ChecksAlong(Along, Shown):
    """Verdicts on one model at several values of an argument; attributes as of `Along`."""

    def page(self) -> Page:
        """The verdicts, a row a value, the powers, curves with their thresholds."""
        setting = self.checks[0].setting
        words = ", ".join(dict.fromkeys(one.verdict for one in self.checks))
        further = (
            ("Powers", tables.powers(self)),
            ("Beside the exact law", tables.beside_the_law(self)),
        )
        return Page(
            f"{setting.model}: {words}",
            [
                self.sentence[0].upper() + self.sentence[1:],
                *reach(self),
                *(f"{self.argument} {v}: {text}" for v, one in self for text in one.limits),
            ],
            [
                Section("The numbers", [tables.values(self)]),
                *(Section(*each, True) for each in further if each[1]),
                Section(f"Against {self.argument}", figures.plots(self)),
                Section("In words", self._texts(), True),
            ],
            provenance(setting, self.checks[0].measured.start.seeds),
            self._numbers,
        )

    def _texts(self) -> list[str]:
        """Each value's verdict, then theory and notes, each once."""
        told = [f"{self.argument} {value}: {one}" for value, one in self]
        theory = dict.fromkeys(one.theory for one in self.checks)
        notes = dict.fromkeys(note for one in self.checks for note in (*one.scope, *one.unsaid()))
        return [*told, *theory, *notes]

    def _numbers(self) -> Record:
        seeds = self.checks[0].measured.start.seeds
        given = numbers.inputs(self.checks[0].setting, seeds)
        if self.checks[0].setting.chosen:
            given["learning_rate"] = [one.setting.learning_rate for one in self.checks]
        found = Record(given | {"along": {self.argument: self.values}}, seeds=seeds)
        samples = {}
        for value, one in self:
            prefix = f"{self.argument}={value}/"
            samples |= numbers.samples(one.measured, prefix)
            for row in (*one.table, *one.shares):
                numbers.put(found, row, prefix)
        for quantity in QUANTITIES:
            power = self.power(quantity)
            if power is not None:
                found.estimate(f"power_{quantity}", power)
        found.samples = samples
        found.more = {
            "verdict": {
                "sentence": self.sentence,
                "passed": self.passed,
                "values": {f"{self.argument}={v}": one.conclusion() for v, one in self},
            }
        }
        return found
