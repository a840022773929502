"""pytest plugin: the number of golden cases passed, per group, at the end of a run."""

from __future__ import annotations

from collections import Counter
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call" and "test_conformance.py" in report.nodeid:
                group = report.nodeid.partition("[")[2].partition(".")[0]
                total[group] += 1
                passed[group] += outcome == "passed"
    if total:
        terminalreporter.section("conformance")
        for group in sorted(total):
            terminalreporter.line(f"{group:12} {passed[group]:4} of {total[group]:4}")
        terminalreporter.line(f"{'all':12} {passed.total():4} of {total.total():4}")
