"""What runs inside the sandbox: the standard library alone, on the environment's own Python.

This folder is copied beside the jobs and imported there as ``inside``; nothing in it knows the rest
of Drydock, holds a secret or trusts a job. From the outside in::

    parent.py      one process per environment; forks a supervisor for each job
    supervisor.py  gives a job its namespaces and files, watches it, reads out what it wrote
    child.py       the job's own process: lets go of every right, then becomes the program
    program.py     runs a module as ``python -m`` would
    files.py       the files a job sees, and the reading of what it leaves
    usage.py       what a job's processes use
    kernel.py, landlock.py, seccomp.py    what the kernel offers
    wire.py, orders.py                    messages between all of them, and what they say
    unwalled.py    the same program without any of it, for ``--unsafe-no-sandbox``
"""

from __future__ import annotations

MODULES = (
    "child",
    "files",
    "kernel",
    "landlock",
    "orders",
    "parent",
    "program",
    "seccomp",
    "supervisor",
    "usage",
    "wire",
)
"""What a job's process forgets before it becomes the program.

By name: looking through all that is imported would touch, and so copy, most of the parent's memory.
"""
