from typing import Any

import numpy.typing as npt
from typing_extensions import CapsuleType, Self

C_API: CapsuleType

class PlanCaller:
    """Calls a plan on NumPy arrays. ``Predictor`` derives from it."""

    @property
    def input_dtypes(self) -> tuple[str, ...]: ...
    @property
    def output_dtypes(self) -> tuple[str, ...]: ...
    def __new__(
        cls, capsule: CapsuleType, threads: int = 1, release_gil: bool | str = "auto", who: str = "predict"
    ) -> Self: ...
    def predict(self, x: Any, out: Any = None) -> Any:
        """Runs the network on `x`."""

    def run_ready(self, x: object, y: object, number: float) -> list[npt.NDArray[Any]] | None: ...
    def run_list(self, xs: list[Any], outs: list[Any] | None = None) -> list[npt.NDArray[Any]]:
        """The general form: a list of arrays in, a list of arrays out."""
