"""A clip of two seconds that a model is asked about, with its money and its rows."""

import importlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.assets.derive.proxy import Proxy, ProxySettings
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.probe import Probe
from video_assets.clip_worker import Failed, Measured, Postponed, Task, perform
from video_assets.media.camera import describe_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.storage import ledger
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres
from video_assets_tests.clips import Clip, make_clip, quadrants
from video_assets_tests.storage.kept import Kept

SAID = Transcript(
    full_text="Hello there.",
    segments=(
        Segment(start_time=0.5, end_time=1.5, speaker=None, text="Hello there.", confidence=0.9),
    ),
    word_count=2,
    language="en",
    source="subtitles",
    model=None,
    has_speech=True,
    warnings=(),
)
CAMERA = Camera.model_validate(
    dict(
        describe_camera(
            Tags(
                {
                    "EXIF:Make": "Sony",
                    "EXIF:SerialNumber": "S3CR3T-1234",
                    "Composite:GPSLatitude": 48.85837,
                    "Composite:GPSLongitude": 2.29448,
                }
            ),
            Moves(),
        )
    )
)


def make_proxy(folder: Path, checksum: str) -> tuple[Proxy, Scenes]:
    """Make a clip and what the analyzers read of it."""
    path = make_clip(folder / "clip.mp4", Clip(width=320, height=180, picture=quadrants))
    probe = Probe.model_validate(dict(probe_media(path)))
    proxies, scenes = (
        ArtifactFolder.of(folder / "artifacts", checksum, asset) for asset in ("proxy", "scenes")
    )
    proxy: Any = ANALYZERS["proxy"].function(
        Source(checksum, path), probe, ProxySettings(), proxies, Progress()
    )
    found: Any = ANALYZERS["scenes"].function(proxy, scenes)
    return proxy, found


@dataclass
class Analyzed:
    """One clip, the analyzer that is asked about it, and its settings."""

    asset: str
    catalogue: Postgres
    checksum: str
    proxy: Proxy
    scenes: Scenes
    folder: Path
    settings: dict[str, Any]
    caps: Caps = field(default_factory=Caps)
    made: str = ""
    keeps: bool = False
    reports: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, asset: str, catalogue: Postgres, folder: Path, **settings: Any) -> "Analyzed":
        """Register a clip of its own, and make its proxy."""
        importlib.import_module(f"video_assets.assets.describe.{asset}")
        kept = Kept(catalogue, folder / "artifacts", folder / "footage")
        checksum = kept.clip(uuid.uuid4().hex)
        proxy, scenes = make_proxy(folder, checksum)
        return cls(asset, catalogue, checksum, proxy, scenes, folder, settings)

    def ask(self, **settings: Any) -> Measured | Failed | Postponed:
        """Do what a worker does with the clip."""
        analyzer = ANALYZERS[self.asset]
        inputs = {"proxy": self.proxy, "scenes": self.scenes, "transcript": SAID, "camera": CAMERA}
        task = Task(
            module=analyzer.module,
            name=self.asset,
            checksum=self.checksum,
            source=None,
            inputs={name: model.model_dump(mode="json") for name, model in inputs.items()},
            settings=analyzer.settings({**self.settings, **settings}),
            artifacts=self.artifacts.path,
            billing=Billing(
                *(self.catalogue, self.checksum, self.asset, "a run", self.caps),
                made=self.made,
                keeps=self.keeps,
            ),
        )
        return perform(task, self._report)

    def save(self, measured: Measured | Failed | Postponed) -> None:
        """Do what the IO manager does with a result."""
        assert isinstance(measured, Measured)
        ledger.save_done(
            self.catalogue,
            asset=self.asset,
            checksum=self.checksum,
            made=ledger.Made("1", "", ""),
            document=measured.document,
            problems={},
            seconds=0.0,
            cpu_seconds=0.0,
            run_id="a run",
        )

    @property
    def artifacts(self) -> ArtifactFolder:
        """Where the analyzer keeps its files."""
        return ArtifactFolder.of(self.folder / "artifacts", self.checksum, self.asset)

    def calls(self, columns: str) -> list[tuple[Any, ...]]:
        """Read what was written down of the calls about this clip."""
        return self.rows(
            f"SELECT {columns} FROM ai_calls WHERE file_checksum = %s ORDER BY sent_at"  # noqa: S608
        )

    def change_calls(self, change: str, *values: Any) -> None:
        """Change what was written down of the calls about this clip."""
        query = f"UPDATE ai_calls SET {change} WHERE file_checksum = %s"  # noqa: S608
        with self.catalogue.transaction() as connection:
            connection.execute(query.encode(), (*values, self.checksum))

    def shown(self) -> list[tuple[Any, ...]]:
        """Read what is shown of answers that are not whole."""
        return self.rows(
            "SELECT a.ai_model, a.analysis_summary, a.is_partial FROM analysis a "
            "JOIN clips c ON c.id = a.clip_id WHERE c.file_checksum = %s"
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query about this clip."""
        with self.catalogue.transaction() as connection:
            found = connection.execute(query.encode(), (self.checksum,)).fetchall()
            return [tuple(row.values()) for row in found]

    @property
    def _report(self) -> Any:
        report: Callable[[float], None] = self.reports.append
        return report


def paid(usd: str | int) -> Decimal:
    """Write an amount as the ledger has it."""
    return Decimal(usd)
