"""Checks of device bindings: every tag on a point of an instrument that exists, and none that a lost link endangers."""

from config.checks.report import DEENERGISED, Report
from config.faults import suggestion
from config.tool import Device, LinkLoss, Tag, TagKind


def check_devices(report: Report) -> None:
    """Check devices and the points that tags are bound to."""
    devices = {device.name: device for device in report.tool.devices}
    report.unique(((f"devices[{d}].name", device.name) for d, device in enumerate(report.tool.devices)), "device")
    bound: list[tuple[str, str]] = []
    for m, module in enumerate(report.tool.modules):
        for t, tag in enumerate(module.tags):
            path, name = f"modules[{m}].tags[{t}].point", f"{module.name}.{tag.name}"
            if tag.point is not None:
                # An input and an output may share a point: the second reads back what the first writes.
                bound.append((path, f"{tag.point} ({tag.kind.value})"))
                _check_point(report, path, name, tag, devices)
            elif devices and tag.kind in {TagKind.INPUT, TagKind.OUTPUT}:
                report.add(path, f"'{name}' is {_kind(tag)} of a tool with devices: say which point it is bound to")
    report.unique(iter(bound), "a tag bound to")


def _check_point(report: Report, path: str, name: str, tag: Tag, devices: dict[str, Device]) -> None:
    point = tag.point or ""
    if tag.kind not in {TagKind.INPUT, TagKind.OUTPUT}:
        report.add(path, f"'{name}' is {tag.kind.value}: only inputs and outputs are bound to an instrument")
        return
    named = point.partition(".")[0]
    device = devices.get(named)
    if device is None:
        report.add(path, f"there is no device '{named}'{suggestion(named, devices)}")
    elif tag.kind is TagKind.OUTPUT:
        _check_link_loss(report, path, name, tag, device)


def _check_link_loss(report: Report, path: str, name: str, tag: Tag, device: Device) -> None:
    """An output must find its safe value by itself when nobody can write it any more."""
    if device.on_link_loss is LinkLoss.ZERO and tag.safe != DEENERGISED:
        report.add(
            path,
            f"'{name}' is safe at {tag.safe:g}, but {device.name} takes its outputs to 0 when its link is lost: "
            "bind it to an instrument that holds, or to an output that 0 leaves running",
        )
    if device.on_link_loss is not LinkLoss.ZERO and tag.hazardous:
        report.add(
            path,
            f"'{name}' is hazardous, but {device.name} goes on with the last value when its link is lost: "
            "bind it to an instrument whose watchdog takes it to 0",
        )


def _kind(tag: Tag) -> str:
    return "an input" if tag.kind is TagKind.INPUT else "an output"
