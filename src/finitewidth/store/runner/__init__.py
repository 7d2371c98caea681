"""Runs any list of tasks: in this process, on local processes, or behind a Dask address.

A task is a function with its arguments; what it gives is handed, in this process, to whoever keeps
it. Tasks whose worker was killed are tried again, and what was kept is not computed again::

    with closing(engine_on(2)) as engine:
        Runner(TaskList(tasks, handle, kept), engine, print).run()
"""

from finitewidth.store.runner.engine import Engine as Engine
from finitewidth.store.runner.on_cluster import engine_on as engine_on
from finitewidth.store.runner.running import Progress as Progress
from finitewidth.store.runner.running import Runner as Runner
from finitewidth.store.runner.running import TaskList as TaskList
from finitewidth.store.runner.running import Work as Work
from finitewidth.store.runner.tasks import Result as Result
from finitewidth.store.runner.tasks import Task as Task
