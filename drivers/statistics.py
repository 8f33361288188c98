"""What a driver knows of its device and link, as points that every device has (config.profile.RESERVED)."""

from dataclasses import dataclass


@dataclass
class Statistics:
    """Counters since the start, and the state now."""

    armed: bool = False
    """Outputs may be energised: connected, the right device, its watchdog proven, no write unconfirmed."""
    connected: bool = False
    round_trip_ms: float = 0.0
    """Of the last exchange."""
    requests: int = 0
    faults: int = 0
    """Exchanges without a good answer."""
    reconnects: int = 0
    missed_slots: int = 0
    """Polls that came too late and were left out."""
    reboots: int = 0
    write_faults: int = 0
    """Writes that the device did not confirm in time."""
    edges: int = 0
    """Of fast outputs: changes that left for the wire, or should have."""
    late_edges: int = 0
    """Those that left later than a scan after their own, or could not leave."""
    edge_late: bool = False
    """One of them was a moment ago."""

    def value(self, name: str) -> float:
        """Value of a reserved point."""
        return float(getattr(self, name))
