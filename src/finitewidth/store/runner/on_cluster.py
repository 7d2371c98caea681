"""`engine_on`: the engine that a number of processes or an address asks for."""

from typing import Any

from finitewidth._extras import needed_for
from finitewidth.store.runner.engine import Engine, InProcess


def engine_on(cluster: Any) -> Engine:
    """The engine on a cluster.

    Parameters
    ----------
    cluster : None, int, str or Client
        None, this process; an int, so many processes of this machine; ``"processes"``, one for
        every core; ``"tcp://…"``, the address of a Dask scheduler; or a `distributed.Client`.

    Raises
    ------
    ValueError, TypeError
        If it is none of these.
    RuntimeError
        If Dask is not installed, or the scheduler cannot be reached.
    """
    if cluster is None:
        return InProcess()
    with needed_for("clusters", "sweep"):
        from finitewidth.store.runner.dask_cluster import DaskEngine

    return DaskEngine(cluster)
