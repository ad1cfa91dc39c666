"""A clip's document as its owner has it: what was found of the content, and what is theirs."""

from typing import Any

from video_assets.storage.browse import Clip, ClipDetails

DOCUMENT_STEP = "video_document"


def own_document(details: ClipDetails) -> dict[str, Any] | None:
    """Complete the document with its owner's part; None while there is none."""
    clip = details.clip
    found = next((step.result for step in details.steps if step.name == DOCUMENT_STEP), None)
    if found is None:
        return None
    content = found["content"]
    own_file = {
        "file_path": clip.file_path,
        "file_name": clip.file_name,
        "created_at": clip.created_at,
        "processed_at": clip.processed_at,
        "is_duplicate": len(details.places) > 1,
    }
    return {
        **content,
        "analysis": _own_words(content["analysis"], clip),
        "id": clip.id,
        "user_id": clip.user_id,
        "file_info": {**content["file_info"], **own_file},
        "processing_status": clip.state,
        "processing_progress": clip.progress,
        "current_step": clip.current_step,
        "searchable_content": clip.searchable_content,
    }


def _own_words(analysis: dict[str, Any], clip: Clip) -> dict[str, Any]:
    """Let the owner's words stand, and the analysis of whom the owner believes."""
    found = dict(analysis.get("other_analyses") or {})
    if analysis.get("ai_analysis"):
        found[analysis["analyzer"]] = analysis["ai_analysis"]
    return {
        **analysis,
        "content_category": clip.content_category,
        "content_summary": clip.content_summary,
        "content_tags": clip.content_tags or [],
        "analyzer": clip.content_analyzer,
        "ai_analysis": found.pop(clip.content_analyzer or "", None),
        "other_analyses": found,
    }
