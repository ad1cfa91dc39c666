"""The steps of a preset, as a table."""

from rich.table import Table

from video_assets.interfaces.cli.wording import cell
from video_assets.presets.model import PipelineConfiguration


def steps_table(preset: PipelineConfiguration) -> Table:
    """Lay out the steps in the order in which the preset names them."""
    table = Table(
        title="Pipeline Steps",
        title_justify="left",
        caption=cell(f"{preset.name}: {preset.description}"),
        caption_justify="left",
    )
    table.add_column("Order", justify="right")
    for column in ("Category", "Step", "Status", "Queue"):
        table.add_column(column)
    for order, step in enumerate(preset.steps, start=1):
        status = "[green]✓ Enabled[/]" if step.enabled else "[dim]✗ Disabled[/]"
        table.add_row(str(order), step.category, step.name, status, step.queue)
    return table
