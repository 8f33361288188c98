"""The image of one tool: created by the launcher, written by the controller, read by the server."""

import math

from config.layout import Layout
from kernels.image import Image
from supervisor.link.errors import ImageMismatchError


def create_image(layout: Layout) -> Image:
    """Create the image that a tool asks for; its descriptor is inherited by both halves."""
    scan = layout.tool.scan
    period_s = scan.period_ms / 1000
    return Image.create(
        tags=len(layout.tags),
        conditions=len(layout.conditions),
        flight_rows=max(2, math.ceil(scan.flight_s / period_s)),
        log_rows=max(2, math.ceil(scan.log_s / (period_s * scan.log_every))),
        layout=layout.digest,
    )


def attach_image(fd: int, layout: Layout) -> Image:
    """Map an inherited image.

    Raises:
        ImageMismatchError: it was made for another tag list: a tool file was changed under a running launcher.
    """
    image = Image(fd)
    if image.layout != layout.digest:
        image.close()
        raise ImageMismatchError(
            "the process image was made for another version of the tool file; restart the whole daemon"
        )
    return image
