"""What `make soak` judges by: it must tell a leak from a daemon that warms up, and its furnace must be one."""

from pathlib import Path

import numpy as np
import pytest

from config.loading import load_tool
from hil.plant import create
from tests.system.soak import LOG_EVERY, SIGNALS, fast_furnace
from tests.system.soak_growth import judge

MINUTES = 60


def samples(**figures: np.ndarray) -> list[dict[str, float]]:
    return [
        {"at_s": 60.0 * (minute + 1)} | {name: float(values[minute]) for name, values in figures.items()}
        for minute in range(MINUTES)
    ]


def test_a_daemon_that_warms_up_and_scatters_does_not_grow() -> None:
    minutes, noise = np.arange(MINUTES), np.random.default_rng(5)
    told, faults = judge(
        samples(
            **{
                "server.pss_mb": 190.0 - 60.0 * np.exp(-minutes / 5.0) + noise.normal(0.0, 1.0, MINUTES),
                "server.descriptors": 60.0 + noise.integers(0, 3, MINUTES),
                "scan.wakeup_p99_us": noise.choice([100.0, 200.0, 400.0], MINUTES),
                "scan.skipped": noise.poisson(3.0, MINUTES).astype(float),
                "files.duckdb_mb": 2.0 * minutes,
            }
        )
    )
    assert faults == []
    assert told["files.duckdb_mb"]["per_hour"] == pytest.approx(120.0)


@pytest.mark.parametrize(
    ("name", "start", "by_the_minute"),
    [
        ("server.pss_mb", 190.0, 0.3),
        ("controller.rss_mb", 60.0, 0.2),
        ("launcher.descriptors", 20.0, 0.2),
        ("server.threads", 9.0, 0.1),
        ("scan.wakeup_p99_us", 100.0, 10.0),
        ("scan.skipped", 0.0, 0.5),
    ],
)
def test_what_leaks_is_told(name: str, start: float, by_the_minute: float) -> None:
    noise = np.random.default_rng(7).normal(0.0, 0.5, MINUTES)
    _, faults = judge(samples(**{name: start + by_the_minute * np.arange(MINUTES) + noise}))
    assert len(faults) == 1
    assert faults[0].startswith(f"{name} grows by")


def test_too_few_samples_prove_nothing() -> None:
    assert judge(samples(**{"server.pss_mb": np.full(MINUTES, 100.0)})[:4])[1]


def test_the_furnace_of_the_soak_runs_at_a_kilohertz(tmp_path: Path) -> None:
    """The dead time of a flow controller is 80 scans long there."""
    tool = load_tool(fast_furnace(tmp_path))
    assert (tool.scan.period_ms, tool.scan.log_every) == (1, LOG_EVERY)
    assert sum(len(module.tags) for module in tool.modules) > SIGNALS
    assert create(tool).capsule is not None
