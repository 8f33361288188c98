"""Device profiles from outside: packages offer theirs, nobody replaces another's, and doubt has its proof."""

from pathlib import Path

import pytest

from config.faults import ConfigError
from config.profiles import FOLDER, GROUP, SHIPPED, available, find_profile, load_profile

MONITOR = (SHIPPED / "lakeshore_218.toml").read_text(encoding="utf-8")


def install(site: Path, monkeypatch: pytest.MonkeyPatch, package: str, profile: str, *, named: str = "") -> None:
    """What pip leaves behind of a package with one profile."""
    (site / package).mkdir(parents=True)
    (site / package / "__init__.py").write_text("", encoding="utf-8")
    (site / package / f"{profile}.toml").write_text(MONITOR.replace("lakeshore_218", profile), encoding="utf-8")
    about = site / f"{package}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\n{package} = {named or package}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))


def test_a_package_offers_its_instruments_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "acme_instruments", "acme_monitor")
    assert available()["acme_monitor"] == tmp_path / "acme_instruments" / "acme_monitor.toml"
    profile = find_profile("acme_monitor")
    assert (profile.name, "temperature_8" in profile.by_name) == ("acme_monitor", True)


def test_a_package_cannot_replace_a_shipped_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "acme_copies", "lakeshore_218")
    with pytest.raises(ConfigError, match=r"entry point acme_copies\) there is a profile 'lakeshore_218' already"):
        available()


def test_a_package_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "acme_broken", "acme_nothing", named="acme_elsewhere")
    with pytest.raises(ConfigError, match="entry point acme_broken: names acme_elsewhere, which cannot be used"):
        available()


def test_a_folder_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="which is no folder"):
        available()


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("[[commissioning]]", "[[identify]]", "say what proves it on the real device"),
        ("verified = false\nwatchdog", "verified = true\nwatchdog", "is not verified"),
        ('watchdog = "none"\n', "", "watchdog"),
        ('source = "User\'s Manual, KRDG?"\n', "", "source"),
    ],
)
def test_a_profile_that_hides_its_doubts_is_refused(tmp_path: Path, before: str, after: str, reason: str) -> None:
    """What nobody has seen has a probe; each fact has its source; what happens in silence is said."""
    assert before in MONITOR
    text = MONITOR.replace("lakeshore_218", "hidden").replace(before, after)
    path = tmp_path / "hidden.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        load_profile(path)
