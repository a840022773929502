"""The line that shows how far training is: tqdm's where it is installed, else one of our own, on terminals only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Progress"]

# Seconds between two lines: quick enough to look alive, seldom enough to cost nothing.
_INTERVAL = 0.1


class Progress:
    """One line on standard error, written over itself.

    Args:
        title: What it begins with.
        rows: How many rows there are; None when unknown.
        wanted: False shows nothing, and nothing is shown unless standard error is a terminal.
    """

    def __init__(self, title: str, rows: int | None, wanted: bool) -> None:
        self._title = title
        self._rows = rows
        self._done = 0
        self._start = self._latest = time.monotonic()
        self._shown = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._bar = _tqdm(title, rows) if self._shown else None

    def advance(self, rows: int, values: Callable[[], Mapping[str, Any]]) -> None:
        """Note that rows are done; `values` is asked for what to show, when it is time to."""
        if not self._shown:
            return
        self._done += rows
        now = time.monotonic()
        if now - self._latest >= _INTERVAL:
            self._show(now, values())

    def finish(self, values: Mapping[str, Any]) -> None:
        """Show the last state."""
        if self._shown:
            self._show(time.monotonic(), values)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the line."""
        if self._bar is not None:
            self._bar.close()
        elif self._shown:
            sys.stderr.write("\n")

    def _show(self, now: float, values: Mapping[str, Any]) -> None:
        self._latest = now
        if self._bar is not None:
            self._bar.set_postfix_str(_text(values), refresh=False)
            self._bar.update(self._done - self._bar.n)
            self._bar.refresh()
            return
        speed = self._done / max(now - self._start, 1e-9)
        parts = [self._title, f"{self._done}/{'?' if self._rows is None else self._rows} rows", f"{speed:.0f} rows/s"]
        if self._rows is not None:
            parts.append(f"{max(self._rows - self._done, 0) / max(speed, 1e-9):.0f} s left")
        # Carriage return, text, and the rest of the line erased.
        sys.stderr.write("\r" + "  ".join([*parts, _text(values)]) + "\x1b[K")
        sys.stderr.flush()


def _text(values: Mapping[str, Any]) -> str:
    """Names and numbers; some metrics give several, one for each class."""
    numbers = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    return "  ".join(f"{name}: {' '.join(f'{number:.4g}' for number in many)}" for name, many in numbers.items())


def _tqdm(title: str, rows: int | None) -> Any:
    """A bar of tqdm; None without tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=rows, desc=title, unit=" rows", dynamic_ncols=True, file=sys.stderr)
