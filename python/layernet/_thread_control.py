"""layernet's threads under threadpoolctl, when that package is in use."""

from __future__ import annotations

import sys
from typing import Any

from layernet import _core

_registered = False


def register() -> None:
    """Tell threadpoolctl of the library's pool, once, if that package has been imported.

    Called on import and by every `Predictor` that uses threads, so `threadpoolctl.threadpool_limits` and
    `threadpool_info` know of the pool wherever threadpoolctl came first.
    """
    global _registered
    threadpoolctl: Any = sys.modules.get("threadpoolctl")
    if _registered or not hasattr(threadpoolctl, "register"):
        return
    _registered = True

    class LayernetController(threadpoolctl.LibController):  # type: ignore[misc]
        user_api = "layernet"
        internal_api = "layernet"
        filename_prefixes = ("liblayernet",)
        check_symbols = ("layernet_get_num_threads", "layernet_set_num_threads")

        def get_num_threads(self) -> int:
            return int(self.dynlib.layernet_get_num_threads())

        def set_num_threads(self, num_threads: int) -> None:
            self.dynlib.layernet_set_num_threads(int(num_threads))

        def get_version(self) -> str:
            return str(_core.build_info()["version"])

    threadpoolctl.register(LayernetController)
