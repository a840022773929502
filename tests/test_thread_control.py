"""The number of threads: environment, set_num_threads and threadpoolctl govern the library's pool."""

import os
import subprocess
import sys

import pytest

import layernet as ln
from layernet import _thread_control

PROGRAM = """
import os, sys
{first}
import numpy as np
import layernet as ln
{second}
net = ln.Sequential([ln.layers.Dense(512), ln.layers.Dense(512)])
rows = np.ones((512, 512), "float32")
net(rows[:1])
predictor = ln.Predictor(net, threads=2)
{third}
before = len(os.listdir("/proc/self/task"))
predictor.predict(rows)
print(ln.get_num_threads(), len(os.listdir("/proc/self/task")) - before)
"""


def run(first: str = "", second: str = "", third: str = "", **environment: str) -> list[int]:
    """Threads allowed, and threads that a call of a predictor of two threads started."""
    program = PROGRAM.format(first=first, second=second, third=third)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return [int(n) for n in done.stdout.split()]


pytestmark = pytest.mark.skipif(
    not os.path.isdir("/proc/self/task") or len(os.sched_getaffinity(0)) < 2, reason="counts threads of two CPUs"
)


def test_two_threads_by_default() -> None:
    assert run()[1] == 1


def test_environment_variable_limits_the_pool() -> None:
    assert run(LAYERNET_NUM_THREADS="1") == [1, 0]


def test_set_num_threads_limits_the_pool() -> None:
    assert run(third="ln.set_num_threads(1)") == [1, 0]


LIMIT = "import threadpoolctl; limits = threadpoolctl.threadpool_limits(1, user_api='layernet')"


@pytest.mark.parametrize("when", ["before layernet", "before the predictor"])
def test_threadpoolctl_limits_the_pool(when: str) -> None:
    imported = "import threadpoolctl"
    first, second = (imported, "") if when == "before layernet" else ("", imported)
    assert run(first=first, second=second, third=LIMIT) == [1, 0]


def test_threadpoolctl_tells_of_the_pool_and_puts_the_number_back() -> None:
    import threadpoolctl

    _thread_control.register()
    before = ln.get_num_threads()
    found = [entry for entry in threadpoolctl.threadpool_info() if entry["user_api"] == "layernet"]
    assert len(found) == 1
    assert (found[0]["num_threads"], found[0]["version"]) == (before, ln.__version__)
    with threadpoolctl.threadpool_limits(1, user_api="layernet"):
        assert ln.get_num_threads() == 1
    assert ln.get_num_threads() == before
