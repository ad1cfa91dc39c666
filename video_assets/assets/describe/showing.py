"""What analyzers that see no video show their model in its place: frames, and words beside them."""

import math
from collections.abc import Callable

from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.describe.asking import SharingSettings, facts_of
from video_assets.assets.measure.camera import Camera
from video_assets.media.shown_frames import EVERY_S, ShownFrame, choose_moments, take_frames
from video_assets.services.analysis import ClipAnalysis
from video_assets.services.analysis_answers import ask_for_analysis
from video_assets.services.analysis_prompt import instructions, told_of
from video_assets.services.analysis_question import Question
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.quotes import QuoteFacts
from video_assets.storage.artifacts import ArtifactFolder

TRANSCRIPT_TOKENS_A_MINUTE = 250
ANSWER_TOKENS = 3_000
PROXY_PX = (854, 480)  # of 16:9, as the default preset makes it


def question_of(
    proxy: Proxy,
    scenes: Scenes | None,
    transcript: Transcript | None,
    camera: Camera | None,
    settings: SharingSettings,
    artifacts: ArtifactFolder,
    *,
    max_frames: int,
    longest_px: int,
) -> Question:
    """Put together what a model is asked about one clip."""
    spans = [(scene.start_s, scene.end_s) for scene in scenes.scenes] if scenes else []
    moments = choose_moments(spans or [(0.0, proxy.duration_s)], max_frames)
    frames = take_frames(artifacts.upstream(proxy.file), moments, longest_px)
    facts = facts_of(proxy, scenes, transcript, camera, settings)
    return Question(instructions(), told_of(facts), tuple(frames))


def ask_about(
    question: Question, paid: PaidModel, ask: Callable[[Question], Reply], duration_s: float
) -> tuple[ClipAnalysis, list[Reply]]:
    """Ask, and once more if the answer cannot be used; take away what was shown if none can."""
    try:
        return ask_for_analysis(
            paid, lambda complaint: ask(question.repaired(complaint)), duration_s
        )
    except BaseException:
        paid.billing.hide_partial()
        raise


def frames_expected(facts: QuoteFacts, max_frames: int, longest_px: int) -> list[ShownFrame]:
    """Give as many empty frames, as large, as a clip is likely to be shown by."""
    count = min(max_frames, max(1, math.ceil(facts.duration_s / EVERY_S)))
    scale = min(1.0, longest_px / max(PROXY_PX))
    width, height = (round(side * scale) for side in PROXY_PX)
    return [ShownFrame(0.0, b"", width, height)] * count


def spoken_tokens(facts: QuoteFacts, settings: SharingSettings) -> int:
    """Give how long a transcript is likely to be, if one is sent."""
    if not (facts.has_sound and settings.share_transcript):
        return 0
    return round(facts.duration_s / 60 * TRANSCRIPT_TOKENS_A_MINUTE)
