"""Everything about one clip, as text for a person and as a document for a program."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli import clip_analyses, clip_facts
from video_assets.interfaces.cli.own_document import own_document
from video_assets.interfaces.cli.wording import (
    NONE,
    cell,
    clean,
    duration,
    exact_rate,
    moment,
    new_table,
    rate,
    resolution,
    shorten,
    size,
    titled,
    whole,
)
from video_assets.storage.browse import Clip, ClipDetails, Place, Scene, Step

STEP_SIGNS = {"done": "✓", "failed": "✗", "running": "⏳", "waiting": "·", "blocked": "·"}
STEP_STYLES = {
    "done": "green",
    "failed": "red",
    "running": "yellow",
    "waiting": "dim",
    "blocked": "dim",
}
TITLE_WIDTH = 60
EXCERPT_LENGTH = 300
SCENES_SHOWN = 12


def as_document(details: ClipDetails, artifacts: Path) -> dict[str, Any]:
    """All of it, with the exact frame rate and with artifacts as absolute paths."""
    return {
        **asdict(details.clip),
        "exact_frame_rate": _fraction(details.clip),
        "places": [asdict(place) for place in details.places],
        "scenes": [{**asdict(scene), "path": _path(scene, artifacts)} for scene in details.scenes],
        "steps": [asdict(step) for step in details.steps],
        "analyses": [asdict(each) for each in details.analyses],
        "edited": details.edited,
        "artifacts": [
            {**asdict(each), "path": artifacts / each.name} for each in details.artifacts
        ],
        "document": own_document(details),
    }


def show(
    details: ClipDetails, artifacts: Path, *, width: int, transcript: bool, analysis: bool
) -> Iterator[RenderableType]:
    """Give the parts of the page, top down."""
    clip = details.clip
    yield titled(f"Clip Details: {shorten(clip.file_name, TITLE_WIDTH)}", _facts(details))
    yield from _section("Places", (_place(place) for place in details.places))
    if details.steps:
        yield Text()
        yield titled("Steps", _steps(details.steps, width))
    yield from _section("Problems found", _problems(details.steps))
    yield from _section("Scenes", _scenes(details.scenes, artifacts))
    stills = {scene.representative_frame for scene in details.scenes}
    made = (each for each in details.artifacts if each.name not in stills)
    files = (whole(artifacts / each.name) for each in made)
    yield from _section("Files made from it", files)
    if clip.content_summary:
        yield from _section("Summary", [Text(clean(clip.content_summary))])
    if clip.content_tags:
        yield from _section("Tags", [Text(clean(" ".join(f"#{t}" for t in clip.content_tags)))])
    yield from _section("Transcript", _words(details, is_whole=transcript))
    if analysis:
        nothing = [Text("none yet; --enable-ai of ingest switches on the steps that make one")]
        yield from _section("AI analysis", list(clip_analyses.show(details.analyses)) or nothing)


def _facts(details: ClipDetails) -> Table:
    table = new_table()
    table.add_column("Property", style="dim", no_wrap=True)
    table.add_column("Value", overflow="fold")
    for name, value in _properties(details).items():
        table.add_row(name, cell(value))
    return table


def _properties(details: ClipDetails) -> dict[str, object]:
    clip = details.clip
    return {
        "ID": clip.id,
        "File Name": clip.file_name,
        "Checksum": f"{clip.file_checksum} ({clip.checksum_algorithm})",
        "Status": f"{clip.state}, {clip.progress}%",
        "Duration": _duration(clip),
        "Size": f"{size(clip.file_size_bytes)} ({clip.file_size_bytes:,} bytes)",
        "Resolution": _resolution(clip),
        "FPS": _rate(clip),
        "Rotation": None if clip.rotation is None else f"{clip.rotation}°",
        "Timecode": clip.start_timecode,
        "Codec": clip_facts.codec(clip),
        "Container": clip.container,
        "Color": clip_facts.color(clip),
        "HDR": clip_facts.hdr(clip),
        "Exposure": clip_facts.exposure(clip),
        "Audio": _tracks(clip.audio_tracks, _audio),
        "Sound": clip_facts.sound(clip),
        "Speech": clip_facts.speech(clip, _result(details, "transcript")),
        "Subtitles": _tracks(clip.subtitle_tracks, _subtitle),
        "Captured": clip_facts.captured(clip),
        "Place": clip_facts.place(clip),
        "Camera": clip_facts.camera(clip),
        "Lens": clip_facts.lens(clip),
        "Settings": clip_facts.camera_settings(clip),
        "Category": clip.content_category,
        "Described by": _described_by(details),
        "Processed": moment(clip.processed_at),
    }


def _described_by(details: ClipDetails) -> str | None:
    clip = details.clip
    parts = [
        f"{clip.content_analyzer}, {clip.content_model}" if clip.content_analyzer else None,
        f"set by hand: {', '.join(details.edited)}" if details.edited else None,
    ]
    return "; ".join(filter(None, parts)) or None


def _duration(clip: Clip) -> str:
    if clip.duration_seconds is None:
        return NONE
    return f"{duration(clip.duration_seconds)} ({float(clip.duration_seconds):.3f} s)"


def _resolution(clip: Clip) -> str:
    shown = resolution(clip.display_width or clip.width, clip.display_height or clip.height)
    stored = resolution(clip.width, clip.height)
    return shown if shown == stored else f"{shown} (stored as {stored})"


def _rate(clip: Clip) -> str:
    exact = _fraction(clip)
    if exact is None:
        return NONE
    text = rate(exact) if exact.denominator == 1 else f"{rate(exact)} ({exact})"
    return f"{text}, variable: this is the average" if clip.is_vfr else text


def _fraction(clip: Clip) -> Fraction | None:
    """The rate as the file has it; the column beside it is a rounded decimal."""
    video = (clip.technical_metadata or {}).get("video") or {}
    stated = video.get("frame_rate")
    return Fraction(stated) if stated else exact_rate(clip.frame_rate)


def _tracks(tracks: list[dict[str, Any]] | None, describe: Any) -> str | None:
    if tracks is None:
        return None
    return "\n".join(describe(track) for track in tracks) or "none"


def _audio(track: Mapping[str, Any]) -> str:
    hz, channels = track.get("sample_rate"), track.get("channels")
    layout = track.get("channel_layout") or (f"{channels} channels" if channels else None)
    kilohertz = f"{hz / 1000:g} kHz" if hz else None
    return _joined(
        track.get("codec") or "unknown codec",
        *(layout, kilohertz, track.get("language"), track.get("title")),
    )


def _subtitle(track: Mapping[str, Any]) -> str:
    codec = track.get("codec") or track.get("format") or "unknown format"
    return _joined(codec, track.get("language"), track.get("title"))


def _joined(*parts: str | None) -> str:
    return ", ".join(clean(part) for part in parts if part)


def _place(place: Place) -> Text:
    text = whole(place.path)
    if not place.is_here:
        text.append(f"  on {clean(place.host)}", style="dim")
    if place.missing_at:
        text.append(f"  not found since {moment(place.missing_at)}", style="red")
    return text


def _steps(steps: Iterable[Step], width: int) -> Table:
    table = new_table()
    for heading in ("", "Step"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    table.add_column("Found", overflow="fold", max_width=max(20, width - 40))
    for step in steps:
        style = STEP_STYLES[step.state]
        table.add_row(
            cell(STEP_SIGNS[step.state], style),
            cell(shorten(step.name, 24)),
            cell(None if step.seconds is None else f"{step.seconds:.1f}"),
            _found(step),
        )
    return table


def _found(step: Step) -> Text:
    if step.state != "failed":
        return cell(step.state, STEP_STYLES[step.state])
    tries = f" (tried {step.attempts} times)" if step.attempts > 1 else ""
    return cell(f"{step.error_class}: {step.error}{tries}", "red")


def _problems(steps: Iterable[Step]) -> Iterator[Text]:
    for step in steps:
        for check, sentence in step.problems.items():
            yield Text(f"{clean(check)}: {clean(sentence)}", style="yellow")


def _scenes(scenes: list[Scene], artifacts: Path) -> Iterator[Text]:
    """Show where each scene lies, and its still; the first ones of many."""
    for scene in scenes[:SCENES_SHOWN]:
        text = whole(f"{scene.number:>3}  {scene.start_s:.2f}-{scene.end_s:.2f} s")
        if scene.begins_with == "fade":
            text.append("  fades in")
        if scene.description:
            text.append(f"  {clean(scene.description)}")
        if path := _path(scene, artifacts):
            text.append(f"  {clean(path)}", style="dim")
        yield text
    if len(scenes) > SCENES_SHOWN:
        yield Text(f"and {len(scenes) - SCENES_SHOWN} more; --json lists all", style="dim")


def _path(scene: Scene, artifacts: Path) -> Path | None:
    return artifacts / scene.representative_frame if scene.representative_frame else None


def _words(details: ClipDetails, *, is_whole: bool) -> Iterator[Text]:
    """Give what is said, or how it begins."""
    words = details.clip.full_transcript
    if words and (is_whole or len(words) <= EXCERPT_LENGTH):
        yield Text(clean(words))
    elif words:
        beginning = words[:EXCERPT_LENGTH].rsplit(maxsplit=1)[0]
        yield Text(f"{clean(beginning)} …  (--transcript shows all)")
    elif is_whole:
        is_made = _result(details, "transcript") is not None
        yield Text("no words" if is_made else "none yet: no step has made one")


def _result(details: ClipDetails, name: str) -> dict[str, Any] | None:
    return next((step.result for step in details.steps if step.name == name), None)


def _section(title: str, lines: Iterable[Text]) -> Iterator[Text]:
    lines = list(lines)
    if lines:
        yield Text()
        yield Text(title, style="bold")
        yield from lines
