"""A registered clip with a proxy, and Gemini on loopback to ask about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.describe.gemini_analysis import GeminiSettings
from video_assets.clip_worker import Failed, Measured, Postponed, Task, perform
from video_assets.media.hashing import hash_file
from video_assets.progress import Progress
from video_assets.services import gemini_clip, local_models
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.services import loopback_gemini
from video_assets_tests.services.loopback_gemini import KEY, Gemini
from video_assets_tests.shelf import register

ASSET = "gemini_analysis"
MODULE = "video_assets.assets.describe.gemini_analysis"


def answer(overall: str = "A grey wall.", **more: Any) -> dict[str, Any]:
    """An answer of the contract's shape, with what `visual` and `content` say."""
    summary = {
        "overall": overall,
        "key_activities": ["standing"],
        "content_category": "b_roll",
        "mood_tone": "calm",
        "primary_subjects": ["wall"],
        "content_tags": ["wall", "grey"],
    }
    scenes = [scene(0, 1), scene(1, 2)]
    visual = {
        "scenes": scenes,
        "shot_types": [],
        "technical_quality": None,
        "text_and_graphics": None,
        "keyframe_analysis": None,
    }
    return {
        "summary": {**summary, **more.get("summary", {})},
        "visual_analysis": {**visual, **more.get("visual", {})},
        "audio_analysis": None,
        "content_analysis": more.get("content"),
    }


def scene(start: float, end: float, description: str = "a wall") -> dict[str, Any]:
    """A scene of an answer."""
    return {
        "start_time": start,
        "end_time": end,
        "description": description,
        "objects": [],
        "activities": [],
    }


@dataclass
class Asked:
    """One clip, the service, and who pays."""

    catalogue: Postgres
    service: Gemini
    folder: Path
    checksum: str
    proxy: Proxy
    caps: Caps = field(default_factory=Caps)
    made: str = ""
    keeps: bool = False

    @property
    def billing(self) -> Billing:
        """Who pays."""
        payer = (self.catalogue, self.checksum, ASSET, "run", self.caps)
        return Billing(*payer, made=self.made, keeps=self.keeps)

    def task(self, **settings: Any) -> Task:
        """The clip as it travels to a worker."""
        named = {"base_url": self.service.url, "inline_mb": 0, **settings}
        return Task(
            module=MODULE,
            name=ASSET,
            checksum=self.checksum,
            source=None,
            inputs={"proxy": self.proxy.model_dump(mode="json")},
            settings=GeminiSettings(**named).model_dump(mode="json"),
            artifacts=ArtifactFolder.of(self.folder / "artifacts", self.checksum, ASSET).path,
            billing=self.billing,
        )

    def ask(self, **settings: Any) -> Measured | Failed | Postponed:
        """Do what a worker does."""
        return perform(self.task(**settings), Progress())

    def save(self, found: Measured) -> None:
        """Do what the IO manager does with a result."""
        ledger.save_done(
            self.catalogue,
            asset=ASSET,
            checksum=self.checksum,
            made=ledger.Made("1", "", ""),
            document=found.document,
            problems={},
            seconds=0.0,
            cpu_seconds=0.0,
            run_id="run",
        )

    def calls(self) -> list[dict[str, Any]]:
        """Every attempt that was paid for, the first one first."""
        with self.catalogue.transaction() as connection:
            return connection.execute(
                "SELECT * FROM ai_calls WHERE file_checksum = %s ORDER BY sent_at", (self.checksum,)
            ).fetchall()

    def partial(self) -> list[dict[str, Any]]:
        """What is shown of answers that are still coming."""
        with self.catalogue.transaction() as connection:
            return connection.execute(
                """SELECT a.* FROM analysis a JOIN clips c ON c.id = a.clip_id
                    WHERE c.file_checksum = %s AND a.is_partial""",
                (self.checksum,),
            ).fetchall()

    def outcomes(self) -> list[tuple[str, Decimal]]:
        """How each attempt ended, and what it cost."""
        return [(call["outcome"] or call["status"], call["cost_usd"]) for call in self.calls()]


@contextmanager
def asked(catalogue: Postgres, folder: Path, clip: Clip | None = None) -> Iterator[Asked]:
    """Register a clip of 2 s, or another one, and run the service."""
    shown = clip or Clip(frames=10, rate=Fraction(5), gop=5, audio_tracks=1)
    source = folder / "in"
    source.mkdir(parents=True)
    # Content of its own, so that nothing of it was ever asked.
    (source / "clip.mp4").write_bytes(folder.as_posix().encode())
    checksum = register(catalogue, LOCAL_OWNER, source)["clip.mp4"]
    artifacts = ArtifactFolder.of(folder / "artifacts", checksum, "proxy")
    artifacts.path.mkdir(parents=True)
    file = make_clip(artifacts.path_of("proxy.mp4"), shown)
    duration_s = float(shown.frames / shown.rate)
    proxy = Proxy(
        file=artifacts.name_of("proxy.mp4"),
        file_digest=hash_file(file).hexdigest,
        codec="h264",
        encoder="libx264",
        is_hardware=False,
        bit_rate_bps=1,
        width=shown.width,
        height=shown.height,
        frame_rate=float(shown.rate),
        frame_count=shown.frames,
        duration_s=duration_s,
        size_bytes=file.stat().st_size,
        has_audio=shown.audio_tracks > 0,
        measurements=artifacts.name_of("measurements.npz"),
        measurements_digest="",
        source_frame_count=shown.frames,
        source_duration_s=duration_s,
        declared_duration_s=duration_s,
        decoded_duration_s=duration_s,
        damaged_packets=0,
        sound_tracks=shown.audio_tracks,
        sound=None,
        warnings=(),
    )
    with loopback_gemini.serve() as service:
        for known in (gemini_clip._fit, gemini_clip._unfit):
            known.clear()  # a port comes back, and what was found out about it is not true then
        yield Asked(catalogue, service, folder, checksum, proxy)
        if kept := local_models._kept.pop("gemini", None):
            kept[1].close()
    assert KEY not in repr(service.questions)
    assert service.faults + service.batches.faults == []


def transcript(*said: tuple[float, float, str]) -> Transcript:
    """What is said in a clip."""
    segments = tuple(
        Segment(start_time=start, end_time=end, speaker=None, text=text, confidence=None)
        for start, end, text in said
    )
    return Transcript(
        full_text=" ".join(text for _, _, text in said),
        segments=segments,
        word_count=1,
        language="en",
        source="subtitles",
        model=None,
        has_speech=True,
        warnings=(),
    )
