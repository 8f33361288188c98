"""The state of one alarm, as the daemon keeps it and the address space shows it."""

from dataclasses import dataclass
from enum import StrEnum


class Shelf(StrEnum):
    """Whether an alarm is shelved, and until when."""

    NONE = "none"
    TIMED = "timed"  # until its time is over
    ONE_SHOT = "one_shot"  # until it is over by itself, or the longest time is


@dataclass(frozen=True)
class AlarmState:
    """Everything that is known of an alarm now. Times are ns since 1970, 0: never."""

    name: str
    bits: tuple[int, ...] = ()
    """State bits of its points (kernels.tables.ConditionState)."""
    trips: tuple[int, ...] = ()
    """How often each point tripped since the controller started."""
    enabled: bool = True
    active: bool = False
    latched: bool = False
    first_out: bool = False
    unknown: bool = False
    """Active because a value is missing: its cause cannot be excluded."""
    verified: bool = True
    """False from a controller's start until its scan has found the same again."""
    acked: bool = True
    confirmed: bool = True
    shelf: Shelf = Shelf.NONE
    unshelve_ns: int = 0
    out_of_service: bool = False
    suppressed: bool = False
    """By its declaration, by a method, or both."""
    designed: bool = False
    """Suppressed by its declaration, in this mode or step."""
    commanded: bool = False
    """Suppressed by a method, until another takes it back."""
    severity: int = 1
    last_severity: int = 1
    message: str = ""
    comment: str = ""
    comment_by: str = ""
    user: str = ""
    """Who acted on it last."""
    occurrences: int = 0
    re_alarms: int = 0
    event_id: bytes = b""
    """Of its last event; empty before the first."""
    event_ids: tuple[bytes, ...] = ()
    """Those that this occurrence may be acknowledged by."""
    revision: int = 0
    time_ns: int = 0
    """Of its last event."""
    enabled_ns: int = 0
    active_ns: int = 0
    acked_ns: int = 0
    confirmed_ns: int = 0
    latched_ns: int = 0
    shelf_ns: int = 0
    out_of_service_ns: int = 0
    suppressed_ns: int = 0
    comment_ns: int = 0
    severity_ns: int = 0
    asked_ns: int = 0
    """When it asked for an answer last: it came, became worse, was answered, or asked again."""

    @property
    def retain(self) -> bool:
        """Whether it belongs on a list of alarms."""
        return self.enabled and (self.active or self.latched or not self.acked or not self.confirmed)

    @property
    def silent(self) -> bool:
        """Whether nobody is asked for an answer, although it may be active."""
        return not self.enabled or self.suppressed or self.out_of_service or self.shelf is not Shelf.NONE

    @property
    def top(self) -> int | None:
        """Place of the most urgent point that is active."""
        return next((place for place, bits in enumerate(self.bits) if bits & 2), None)
