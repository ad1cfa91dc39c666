"""Gemini analysis: what Google's Gemini sees and hears in each clip.

Reads the proxy, which is sent to Google with its sound, the cuts and the transcript; writes one
ComprehensiveAIAnalysis per clip. A long clip is shown in overlapping windows, each cut out of the
proxy as a file of its own: Google documents how to name a stretch of an upload, but not whether
times in the answer then count from the beginning of the stretch or of the whole.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.describe.asking import (
    BATCH,
    SharingSettings,
    facts_of,
    kept_result,
    kinds_of,
    result_of,
    summarize,
)
from video_assets.assets.measure.camera import Camera
from video_assets.clip_asset import clip_asset
from video_assets.media.cutting import Stretch, cut
from video_assets.media.errors import RefusedByServiceError
from video_assets.progress import Progress
from video_assets.services import gemini, whole_summary
from video_assets.services.analysis import ClipAnalysis, ComprehensiveAIAnalysis
from video_assets.services.batched_call import AwaitedError
from video_assets.services.gemini_batches import GeminiBox
from video_assets.services.gemini_clip import SUMMARY_TOKENS, GeminiClip
from video_assets.services.merging import merge
from video_assets.services.naming import plain_address
from video_assets.services.outgoing import VIDEO, Outgoing
from video_assets.services.paid_call import Reply
from video_assets.services.paid_model import open_model
from video_assets.services.partial_answer import PartialAnswer
from video_assets.services.prices import Usage, price_of
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.services.windows import windows_of
from video_assets.settings import load_settings
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder

# What an answer is taken for in a quote.
ANSWER_TOKENS, ANSWER_TOKENS_A_SECOND = 1_500, 10
PROMPT_TOKENS = 4_500  # instructions and the shape of the answer
THOUGHT_TOKENS = 2_000  # where it thinks as it likes


class GeminiSettings(SharingSettings):
    """How Gemini is asked."""

    model: str = Field(default="gemini-2.5-flash", min_length=1)
    save_partial: bool = Field(default=True, description="show what has arrived while it answers")
    window_s: float = Field(default=900, ge=10, description="a longer clip is shown in parts")
    overlap_s: float = Field(default=15, ge=0, description="of one part and the next")
    fps: float = Field(default=1, gt=0, le=24, description="pictures a second that it looks at")
    detail: gemini.Detail = Field(default="default", description="low: a quarter of the tokens")
    max_output_tokens: int = Field(default=16_384, ge=256, le=65_536)
    thinking_tokens: int | None = Field(
        default=0, ge=0, description="before it answers; None: as it likes; some models take no 0"
    )
    timeout_s: float = Field(default=300, gt=0, description="for one answer")
    processing_timeout_s: float = Field(default=300, gt=0, description="to make an upload ready")
    inline_mb: float = Field(
        default=12, ge=0, le=14, description="a larger proxy is uploaded, and deleted afterwards"
    )
    batch: bool = BATCH
    base_url: str | None = Field(default=None, description="of another server; None: Google's")
    summary_prompt_version: str = Field(
        default_factory=whole_summary.version, description="of the instructions; leave it out"
    )

    @field_validator("base_url")
    @classmethod
    def _has_no_secret(cls, url: str | None) -> str | None:
        return url and plain_address(url, key=gemini.SECRET)

    @model_validator(mode="after")
    def _windows_fit(self) -> "GeminiSettings":
        if self.overlap_s > self.window_s / 2:
            raise ValueError("overlap_s is more than half of window_s")
        most = gemini.most_of(self.manner, self.window_s, has_sound=True).input_tokens
        if most > gemini.CONTEXT_TOKENS:
            raise ValueError(
                f"a window of {self.window_s:g} s takes {most:,} tokens, and Gemini takes "
                f"{gemini.CONTEXT_TOKENS:,} at once; lower window_s or fps"
            )
        return self

    @property
    def manner(self) -> gemini.Manner:
        """How the model is asked."""
        names = gemini.Manner.__dataclass_fields__
        return gemini.Manner(**{name: getattr(self, name) for name in names})


def sent_to_gemini(settings: GeminiSettings) -> Outgoing:
    """Say what leaves this machine."""
    sends, keeps = kinds_of(VIDEO, settings)
    return Outgoing(
        settings.base_url or gemini.ADDRESS,
        sends,
        keeps,
        secret=gemini.SECRET,
        has_key=load_settings().gemini_api_key is not None,
        library="google-genai",
        forwards=True,
    )


def quote_gemini(facts: QuoteFacts, settings: GeminiSettings) -> Quote:
    """Estimate what a clip costs: most of it is pictures and sound, which Google counts by time."""
    windows = windows_of(facts.duration_s, settings.window_s, settings.overlap_s)
    usages = [_likely(end - begin, facts.has_sound, settings) for begin, end in windows]
    if len(windows) > 1:
        usages.append(Usage(input_tokens=PROMPT_TOKENS, output_tokens=SUMMARY_TOKENS // 2))
    return Quote(
        provider=gemini.PROVIDER,
        model=settings.model,
        usage=Usage(
            input_tokens=sum(each.input_tokens for each in usages),
            audio_tokens=sum(each.audio_tokens for each in usages),
            output_tokens=sum(each.output_tokens for each in usages),
        ),
        base_url=None,  # whatever stands before Google's server, Google charges
        sends=sent_to_gemini(settings).sends,
        assumes=f"{gemini.FRAME_TOKENS[settings.detail] + gemini.MARK_TOKENS} tokens a picture at "
        f"{settings.fps:g} a second, {gemini.SOUND_TOKENS} a second of sound, and an answer of "
        f"{ANSWER_TOKENS} and {ANSWER_TOKENS_A_SECOND} a second",
        calls=len(usages),
        in_batch=settings.batch,
    )


def _likely(duration_s: float, has_sound: bool, settings: GeminiSettings) -> Usage:
    most = gemini.most_of(settings.manner, duration_s, has_sound)
    thought = THOUGHT_TOKENS if settings.thinking_tokens is None else settings.thinking_tokens
    written = ANSWER_TOKENS + int(ANSWER_TOKENS_A_SECOND * duration_s) + thought
    return Usage(
        input_tokens=most.input_tokens + PROMPT_TOKENS,
        audio_tokens=most.audio_tokens,
        output_tokens=min(written, settings.max_output_tokens),
    )


@clip_asset(
    lane="ai_gemini",
    code_version="1",
    metadata=summarize,
    quote=quote_gemini,
    sends=sent_to_gemini,
)
def gemini_analysis(
    proxy: Proxy,
    scenes: Scenes | None,
    transcript: Transcript | None,
    camera: Camera | None,
    settings: GeminiSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
    billing: Billing,
) -> ComprehensiveAIAnalysis:
    """What Google's Gemini sees and hears in each clip; the proxy is sent there."""
    windows = windows_of(proxy.duration_s, settings.window_s, settings.overlap_s)
    asked = list[ClipAnalysis]()

    def beat() -> None:
        progress(len(asked) / len(windows))

    price = price_of(gemini.PROVIDER, settings.model)
    client, key = gemini.open_client(settings.base_url, settings.timeout_s)
    address = settings.base_url or gemini.ADDRESS
    is_batched = settings.batch or billing.batches.waiting()
    paid = open_model(
        gemini.PROVIDER,
        settings.model,
        address,
        key,
        price=price,
        billing=billing,
        beat=beat,
        box=GeminiBox(client, settings.manner) if is_batched else None,
    )
    facts = facts_of(proxy, scenes, transcript, camera, settings)
    clip = GeminiClip(client, paid, settings.manner, facts, proxy.file_digest, beat)
    file = artifacts.upstream(proxy.file)
    try:
        with paid.one_clip():
            requests = (clip.request(_shown(file, windows, each)) for each in windows)
            if (kept := kept_result(billing, requests, artifacts)) is not None:
                return kept
            answer, replies, warnings = _analyze(clip, file, windows, asked, settings.save_partial)
    except BaseException:
        billing.hide_partial()
        raise
    return result_of(answer, replies, settings.model, settings, artifacts, billing, warnings)


def _shown(
    file: Path, windows: Sequence[tuple[float, float]], window: tuple[float, float]
) -> Stretch | Path:
    return file if len(windows) == 1 else cut(file, *window)


def _analyze(
    clip: GeminiClip,
    file: Path,
    windows: Sequence[tuple[float, float]],
    answers: list[ClipAnalysis],
    is_shown: bool,
) -> tuple[ClipAnalysis, list[Reply], list[str]]:
    """Ask about each window, and about the whole if there are several."""
    billing, replies = clip.paid.billing, list[Reply]()
    cuts, awaited = list[tuple[float, float]](), None
    for window in windows:
        shown = _shown(file, windows, window)
        partial = PartialAnswer(billing, clip.manner.model)
        # Of a later window nothing is shown before it is whole: it has to be merged first.
        heard = partial.show if is_shown and not answers else lambda _: None
        try:
            answer, calls = clip.look(shown, heard)
        except AwaitedError as error:  # the others are handed in meanwhile
            awaited = error
            continue
        cuts.append(window if isinstance(shown, Path) else (shown.begin_s, shown.end_s))
        answers.append(answer)
        replies += calls
        if is_shown and len(windows) > 1:
            billing.show_partial(clip.manner.model, merge(answers, cuts).model_dump(mode="json"))
    if awaited is not None:
        raise awaited
    if len(windows) == 1:
        return answers[0], replies, []
    merged, warnings = merge(answers, cuts), list[str]()
    try:
        summary, reply = clip.sum_up(answers, cuts)
        merged = merged.model_copy(update={"summary": summary})
        replies.append(reply)
    except RefusedByServiceError as error:
        warnings.append(f"the summary is put together from those of the windows: {error}")
    return merged, replies, warnings
