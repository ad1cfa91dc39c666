"""An analyzer that reads what another one wrote."""

from video_assets.clip_asset import clip_asset
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.analyzers import Loud, Words


@clip_asset(lane="default", code_version="1")
def reread(loud: Loud, artifacts: ArtifactFolder) -> Words:
    """The loud word of each file, read again."""
    return Words(count=1, first=artifacts.upstream(loud.name).read_text())
