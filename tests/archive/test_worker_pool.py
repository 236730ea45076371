"""A canary for the one name of concurrent.futures that is not promised."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor


def test_an_executor_names_its_processes() -> None:
    with ProcessPoolExecutor(max_workers=1) as executor:
        executor.submit(int).result()
        assert len(executor._processes) == 1, (
            "Python no longer keeps an executor's processes in _processes; read archive/runtime/worker_pool.py"
        )
