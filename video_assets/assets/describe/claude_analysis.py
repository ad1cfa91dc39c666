"""Claude's analysis: what a model of Anthropic says of each clip, by its frames and its transcript.

Reads the proxy, and beside it scenes, transcript and camera where there are any; writes one
ComprehensiveAIAnalysis per clip and the whole answer as JSON. Claude sees no video, so it is shown
frames of each scene, each with its exact time.
"""

import json

from pydantic import Field, field_validator

from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.describe.asking import (
    BATCH,
    SharingSettings,
    kept_result,
    kinds_of,
    result_of,
    summarize,
)
from video_assets.assets.describe.showing import (
    ANSWER_TOKENS,
    ask_about,
    frames_expected,
    question_of,
    spoken_tokens,
)
from video_assets.assets.measure.camera import Camera
from video_assets.clip_asset import clip_asset
from video_assets.progress import Progress
from video_assets.services import claude
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.services.analysis_prompt import instructions
from video_assets.services.claude_schema import claude_schema, in_contract
from video_assets.services.naming import plain_address
from video_assets.services.outgoing import FRAMES, Outgoing
from video_assets.services.paid_model import open_model
from video_assets.services.partial_answer import PartialAnswer
from video_assets.services.prices import Usage, price_of
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.settings import load_settings
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder

LONGEST_PX = 1_568  # a longer side is made smaller by some models, which only costs time
UNDER_WAY = 0.5


class ClaudeSettings(SharingSettings):
    """Which model is asked, and how much it is shown and may answer."""

    model: str = Field(
        default="claude-haiku-5-5",
        min_length=1,
        description="of Anthropic; claude-3-opus and others of its time are retired",
        json_schema_extra={"variables": True},
    )
    max_frames: int = Field(default=24, ge=1, le=100, description="that it is shown of a clip")
    max_output_tokens: int = Field(
        default=16_000, ge=1_000, le=128_000, description="of its answer, its thinking included"
    )
    effort: claude.Effort | None = Field(
        default=None, description="how much it thinks; None: as much as it does by itself"
    )
    timeout_s: float = Field(
        default=280,
        gt=0,
        description="for a whole answer; less than the step's own timeout",
        json_schema_extra={"changes_result": False},
    )
    save_partial: bool = Field(
        default=True,
        description="show what has arrived of an answer",
        json_schema_extra={"changes_result": False},
    )
    batch: bool = BATCH
    base_url: str = Field(
        default=claude.BASE_URL,
        description="of Anthropic's service, or of a gateway to it",
        json_schema_extra={"variables": True, "changes_result": False},
    )

    @field_validator("base_url")
    @classmethod
    def _has_no_secret(cls, url: str) -> str:
        return plain_address(url, key=claude.SECRET)


def sent_to_claude(settings: ClaudeSettings) -> Outgoing:
    """Say what leaves this machine."""
    sends, keeps = kinds_of(FRAMES, settings)
    return Outgoing(
        settings.base_url,
        sends,
        keeps,
        secret=claude.SECRET,
        has_key=load_settings().anthropic_api_key is not None,
        library="anthropic",
        forwards=True,
    )


def quote_claude(facts: QuoteFacts, settings: ClaudeSettings) -> Quote:
    """Say what one clip is likely to take."""
    frames = frames_expected(facts, settings.max_frames, LONGEST_PX)
    picture = claude.picture_tokens(frames[0].width, frames[0].height)
    fixed = len(instructions() + json.dumps(claude_schema())) // 3
    return Quote(
        provider=claude.PROVIDER,
        model=settings.model,
        usage=Usage(
            input_tokens=fixed + len(frames) * picture + spoken_tokens(facts, settings),
            output_tokens=min(ANSWER_TOKENS, settings.max_output_tokens),
        ),
        base_url=None,
        sends=sent_to_claude(settings).sends,
        assumes=f"{len(frames)} frames of {picture} tokens, {ANSWER_TOKENS} tokens of answer",
        in_batch=settings.batch,
    )


@clip_asset(
    lane="ai_claude",
    code_version="1",
    metadata=summarize,
    quote=quote_claude,
    sends=sent_to_claude,
)
def claude_analysis(
    proxy: Proxy,
    scenes: Scenes | None,
    transcript: Transcript | None,
    camera: Camera | None,
    settings: ClaudeSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
    billing: Billing,
) -> ComprehensiveAIAnalysis:
    """What Claude says of each clip: shown by frames of its scenes, with what is said in it."""
    model = claude.open_claude(
        settings.model,
        base_url=settings.base_url,
        most_output=settings.max_output_tokens,
        effort=settings.effort,
        timeout_s=settings.timeout_s,
    )
    paid = open_model(
        claude.PROVIDER,
        settings.model,
        settings.base_url,
        claude.key(),
        price=price_of(claude.PROVIDER, settings.model),
        billing=billing,
        beat=lambda: progress(UNDER_WAY),
        box=model.box if settings.batch or billing.batches.waiting() else None,
    )
    partial = PartialAnswer(billing, settings.model, in_contract) if settings.save_partial else None
    with paid.one_clip():
        question = question_of(
            proxy,
            scenes,
            transcript,
            camera,
            settings,
            artifacts,
            max_frames=settings.max_frames,
            longest_px=LONGEST_PX,
        )
        if (kept := kept_result(billing, [model.request(question)], artifacts)) is not None:
            return kept
        answer, replies = ask_about(
            question, paid, lambda each: model.ask(paid, each, partial), proxy.duration_s
        )
    return result_of(answer, replies, settings.model, settings, artifacts, billing)
