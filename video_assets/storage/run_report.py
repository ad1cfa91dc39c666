"""What the manifest and the reports of a run say, in the names that other programs know."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from video_assets.storage.run_facts import RunFacts, Totals
from video_assets.storage.runs import Run

GIB, MIB = 1024**3, 1024**2
STEM_BYTES = 150  # of 255 that a file system takes for a name
FAILURES_WRITTEN = 1000
PROCESSING_STATUS = {
    "complete": "completed",
    "failed": "failed",
    "processing": "processing",
    "waiting": "queued",
}


def manifest(run: Run, totals: Totals) -> dict[str, Any]:
    """Put together what `run_manifest.json` says."""
    now = datetime.now(timezone.utc)
    return {
        "run_id": run.run_id,
        "name": run.name,
        "kind": run.kind,
        "user_id": str(run.user_id),
        "created_at": run.started_at.isoformat(),
        "status": run.status,
        "note": run.note,
        "preset": run.preset,
        "roots": run.roots,
        "videos_total": totals.clips,
        "videos_processed": totals.complete,
        "videos_failed": totals.failed,
        "videos_unfinished": totals.processing + totals.waiting,
        "files_unreadable": run.unreadable,
        "total_duration_seconds": totals.duration_s,
        "total_size_bytes": totals.size_bytes,
        "pipeline_config": run.preset_document,
        "processing_stats": {
            "started_at": run.started_at.isoformat(),
            "completed_at": run.ended_at.isoformat() if run.ended_at else None,
            "total_processing_time": elapsed_s(run) if run.ended_at else None,
        },
        "last_updated": now.isoformat(),
    }


def elapsed_s(run: Run) -> float:
    """How long a run took, or has taken so far."""
    until = run.ended_at or datetime.now(timezone.utc)
    return round((until - run.started_at).total_seconds(), 3)


def document_name(file_name: str, checksum: str) -> str:
    """Name the document of a clip: its file's name without the ending, and whose content it is."""
    return f"{_clip_name(file_name, checksum)}.json"


def analysis_name(file_name: str, checksum: str, analyzer: str) -> str:
    """Name what an analyzer says of a clip: as its document, and who says it."""
    who = analyzer.removesuffix("_analysis")
    return f"{_clip_name(file_name, checksum)}_{who}_AI_analysis.json"


def _clip_name(file_name: str, checksum: str) -> str:
    stem = Path(file_name).stem
    safe = "".join(sign if sign.isalnum() or sign in "._- " else "_" for sign in stem)
    short = safe.encode()[:STEM_BYTES].decode(errors="ignore").strip(" .") or "clip"
    return f"{short}_{checksum[:12]}"


def head(told: Mapping[str, Any], totals: Totals) -> dict[str, Any]:
    """Say of which run `all_videos` tells."""
    return {
        "run_info": {
            "run_id": told["run_id"],
            "created_at": told["created_at"],
            "total_videos": totals.clips,
            "successful_videos": totals.complete,
            "failed_videos": totals.failed,
        },
        "processing_stats": told["processing_stats"],
    }


def report(told: Mapping[str, Any], totals: Totals, facts: RunFacts) -> dict[str, Any]:
    """Put together what `processing_report` says, but for its timeline."""
    counts, failures = facts.counts(), facts.failures(at_most=FAILURES_WRITTEN)
    clips = totals.clips
    return {
        "run_summary": told,
        "video_statistics": {
            "total_videos": clips,
            "total_duration_hours": totals.duration_s / 3600,
            "total_size_gb": totals.size_bytes / GIB,
            "camera_distribution": counts.get("camera", {}),
            "resolution_distribution": counts.get("resolution", {}),
            "codec_distribution": counts.get("codec", {}),
        },
        "quality_analysis": {
            "hdr_videos": totals.hdr,
            "4k_videos": totals.is_4k,
            "exposure_warnings": totals.exposure_warnings,
            "average_technical_quality": totals.technical_quality,
            "rated_videos": totals.rated,
        },
        "technical_summary": {
            "total_files_processed": totals.complete,
            "average_file_size_mb": totals.size_bytes / clips / MIB if clips else None,
            "processing_completion_rate": totals.complete / clips if clips else None,
        },
        "steps": [asdict(step) for step in facts.steps()],
        "failures": {
            "total": failures.total,
            "by_cause": [asdict(cause) for cause in facts.causes()],
            "first": [asdict(failure) for failure in failures.first],
        },
    }


def times(facts: RunFacts) -> Iterator[dict[str, Any]]:
    """Tell when each clip was completed."""
    for row in facts.timeline():
        yield {
            "file_name": row["file_name"],
            "processed_at": row["processed_at"],
            "processing_status": PROCESSING_STATUS[row["state"]],
            "duration_seconds": row["duration_seconds"],
        }


def videos(facts: RunFacts) -> Iterator[dict[str, Any]]:
    """Tell of each clip what its document does, but for `analysis`, which is in its own file."""
    for rows in facts.clips():
        documents = facts.documents([row["id"] for row in rows])
        for row in rows:
            yield _video(row, documents.get(row["id"]))


def _video(row: dict[str, Any], content: dict[str, Any] | None) -> dict[str, Any]:
    found = content or {"video": None, "camera": None}
    failed = {step: row["processing_status"][step] for step in row["failed_steps"]}
    name = document_name(row["file_name"], row["file_checksum"])
    return {
        **found,
        "id": row["id"],
        "user_id": row["user_id"],
        "file_info": {
            "file_path": row["file_path"],
            "file_name": row["file_name"],
            "file_checksum": row["file_checksum"],
            "file_size_bytes": row["file_size_bytes"],
            "created_at": row["created_at"],
            "processed_at": row["processed_at"],
            "is_duplicate": row["is_duplicate"],
        },
        "processing_status": PROCESSING_STATUS[row["state"]],
        "processing_progress": row["processing_progress"],
        "current_step": row["current_step"],
        "error_details": failed or None,
        "taken_as": row["taken_as"],
        "document": f"json/{name}" if row["document"] else None,
    }
