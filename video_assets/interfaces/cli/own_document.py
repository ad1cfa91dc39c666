"""A clip's document as its owner has it: what was found of the content, and what is theirs."""

from typing import Any

from video_assets.storage.browse import ClipDetails

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
        "id": clip.id,
        "user_id": clip.user_id,
        "file_info": {**content["file_info"], **own_file},
        "processing_status": clip.state,
        "processing_progress": clip.progress,
        "current_step": clip.current_step,
        "searchable_content": clip.searchable_content,
    }
