"""Local analysis: what a model on a server of one's own says of each clip, by its frames.

Reads the proxy, and beside it scenes, transcript and camera where there are any; writes one
ComprehensiveAIAnalysis per clip and the whole answer as JSON. The server speaks OpenAI's chat
protocol: Ollama, vLLM, LM Studio or llama.cpp, and OpenAI's own does too. One on this machine is
free, and nothing leaves the machine.
"""

from pydantic import Field, field_validator

from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.describe.asking import (
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
from video_assets.services import chat
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.services.analysis_outline import outline
from video_assets.services.analysis_prompt import instructions
from video_assets.services.api_keys import chat_key
from video_assets.services.naming import plain_address
from video_assets.services.outgoing import FRAMES, Outgoing
from video_assets.services.paid_model import open_model
from video_assets.services.partial_answer import PartialAnswer
from video_assets.services.prices import FREE, Usage, price_of, provider_of
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder

UNDER_WAY = 0.5
PX_PER_TOKEN = 784  # a patch of 28 pixels squared, as many open models see


class LocalSettings(SharingSettings):
    """Which server and model are asked, and how much it is shown and may answer."""

    model: str = Field(
        default="qwen2.5vl:7b",
        min_length=1,
        description="that sees pictures, as the server names it; of LLaVA llava:v1.6",
        json_schema_extra={"variables": True},
    )
    base_url: str = Field(
        default="http://127.0.0.1:11434/v1",
        description="of the server; the default is where Ollama listens",
        json_schema_extra={"variables": True},
    )
    max_frames: int = Field(default=8, ge=1, le=100, description="that it is shown of a clip")
    longest_px: int = Field(
        default=672, ge=112, le=2048, description="of a frame's longer side; small models see less"
    )
    max_output_tokens: int = Field(default=4_096, ge=500, description="of its answer")
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

    @field_validator("base_url")
    @classmethod
    def _has_no_secret(cls, url: str) -> str:
        return plain_address(url, key=chat.secret_of(url))


def sent_to_server(settings: LocalSettings) -> Outgoing:
    """Say what the server is given."""
    sends, keeps = kinds_of(FRAMES, settings)
    key = chat_key(settings.base_url)
    return Outgoing(
        settings.base_url, sends, keeps, secret=key.shown, has_key=key.value is not None
    )


def quote_local(facts: QuoteFacts, settings: LocalSettings) -> Quote:
    """Say what one clip is likely to take; on this machine it is free."""
    frames = frames_expected(facts, settings.max_frames, settings.longest_px)
    given = sent_to_server(settings)
    picture = frames[0].width * frames[0].height // PX_PER_TOKEN
    fixed = len(instructions() + outline()) // 3
    return Quote(
        provider=provider_of(settings.base_url),
        model=settings.model,
        usage=Usage(
            input_tokens=fixed + len(frames) * picture + spoken_tokens(facts, settings),
            output_tokens=min(ANSWER_TOKENS, settings.max_output_tokens),
        ),
        base_url=settings.base_url,
        sends=() if given.is_here else given.sends,
        assumes=f"{len(frames)} frames of {picture} tokens, {ANSWER_TOKENS} tokens of answer",
    )


@clip_asset(
    lane="ai_local",
    code_version="1",
    metadata=summarize,
    quote=quote_local,
    sends=sent_to_server,
)
def local_analysis(
    proxy: Proxy,
    scenes: Scenes | None,
    transcript: Transcript | None,
    camera: Camera | None,
    settings: LocalSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
    billing: Billing,
) -> ComprehensiveAIAnalysis:
    """What a model on a server of one's own says of each clip, shown by frames of its scenes."""
    provider = provider_of(settings.base_url)
    price = price_of(provider, settings.model, settings.base_url)
    model = chat.open_chat(
        settings.model,
        base_url=settings.base_url,
        is_own=price is FREE,
        most_output=settings.max_output_tokens,
        timeout_s=settings.timeout_s,
    )
    paid = open_model(
        provider,
        settings.model,
        settings.base_url,
        chat.key_of(settings.base_url),
        price=price,
        billing=billing,
        beat=lambda: progress(UNDER_WAY),
    )
    question = question_of(
        proxy,
        scenes,
        transcript,
        camera,
        settings,
        artifacts,
        max_frames=settings.max_frames,
        longest_px=settings.longest_px,
    )
    if (kept := kept_result(billing, [model.request(question)], artifacts)) is not None:
        return kept
    partial = PartialAnswer(billing, settings.model) if settings.save_partial else None
    answer, replies = ask_about(
        question, paid, lambda each: model.ask(paid, each, partial), proxy.duration_s
    )
    return result_of(answer, replies, settings.model, settings, artifacts, billing)
