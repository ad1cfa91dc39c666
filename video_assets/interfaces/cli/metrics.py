"""Metrics while a command runs that others do: at the port that the settings name."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from video_assets.interfaces.cli.faults import tell
from video_assets.settings import Settings


@contextmanager
def metrics_served(settings: Settings) -> Iterator[None]:
    """Answer Prometheus while the block runs, if it is wished; say where, or why not."""
    if settings.metrics.port is None:
        yield
        return
    from video_assets.interfaces.web.metrics import serving_metrics

    with ExitStack() as stack:
        try:
            tell(f"Metrics     {stack.enter_context(serving_metrics(settings))}")
        except OSError as error:  # whoever measures must not keep the work from being done
            tell(f"no metrics: port {settings.metrics.port} cannot be had ({error.strerror})")
        yield
