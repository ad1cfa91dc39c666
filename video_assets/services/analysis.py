"""What a model is to say of a clip: one contract for every analyzer, whichever service it asks.

Every field is always there and null where nothing is known, because the strict modes of structured
output ask for that. Times are seconds from the clip's start.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(description="seconds from the start of the clip")]
Confidence = Annotated[float | None, Field(description="0 to 1")]
Rating = Literal["excellent", "good", "fair", "poor"]
Level = Literal["high", "medium", "low"]


class Answer(BaseModel):
    """Part of what a model answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShotType(Answer):
    """How the camera sees something."""

    timestamp: Seconds
    shot_type: Literal[
        "extreme_close_up",
        "close_up",
        "medium_shot",
        "wide_shot",
        "extreme_wide_shot",
        "aerial",
        "point_of_view",
        "over_the_shoulder",
        "screen",
        "other",
    ]
    description: str
    confidence: Confidence


class TechnicalQuality(Answer):
    """How well it was filmed."""

    overall_focus_quality: Rating | None
    stability_assessment: Rating | None
    detected_artifacts: list[str] = Field(description="noise, banding, rolling shutter, …")
    usability_rating: Rating | None = Field(description="for an editor")


class DetectedText(Answer):
    """Words in the picture."""

    text_content: str
    text_type: Literal["title", "subtitle", "caption", "sign", "document", "screen", "other"]
    readability: Level | None
    timestamp: Seconds | None


class DetectedLogo(Answer):
    """A logo or icon in the picture."""

    element_type: str
    description: str | None
    size: Literal["small", "medium", "large"] | None


class TextAndGraphics(Answer):
    """What is written and drawn in the picture."""

    detected_text: list[DetectedText]
    detected_logos_icons: list[DetectedLogo]


class RecommendedKeyframe(Answer):
    """A picture that could stand for the clip."""

    timestamp: Seconds
    reason: str
    visual_quality: Rating


class KeyframeAnalysis(Answer):
    """Pictures that could stand for the clip."""

    recommended_keyframes: list[RecommendedKeyframe]


class SceneDescription(Answer):
    """What happens from one time to another."""

    start_time: Seconds
    end_time: Seconds
    description: str
    objects: list[str]
    activities: list[str]


class VisualAnalysis(Answer):
    """What is seen."""

    scenes: list[SceneDescription] = Field(description="in order, covering the clip")
    shot_types: list[ShotType]
    technical_quality: TechnicalQuality | None
    text_and_graphics: TextAndGraphics | None
    keyframe_analysis: KeyframeAnalysis | None


class TranscriptSegment(Answer):
    """A stretch of speech."""

    start_time: Seconds
    end_time: Seconds
    speaker: str | None
    text: str
    confidence: Confidence


class SpokenWords(Answer):
    """What is said."""

    segments: list[TranscriptSegment]
    language: str | None = Field(description="ISO 639 code")


class Speaker(Answer):
    """Somebody who speaks."""

    speaker_id: str
    speaking_time_seconds: float
    segments_count: int | None
    confidence: Confidence


class SpeakerAnalysis(Answer):
    """Who speaks."""

    speaker_count: int
    speakers: list[Speaker]


class SoundEvent(Answer):
    """A sound that is not speech."""

    timestamp: Seconds | None
    event_type: str
    description: str | None
    prominence: Level | None
    confidence: Confidence


class AudioQuality(Answer):
    """How well it was recorded."""

    clarity: Rating | None
    background_noise_level: Level | None
    dialogue_intelligibility: Rating | None
    overall_rating: Rating | None


class AudioAnalysis(Answer):
    """What is heard; transcript is null where the model was given one or hears nothing."""

    transcript: SpokenWords | None
    speaker_analysis: SpeakerAnalysis | None
    sound_events: list[SoundEvent]
    audio_quality: AudioQuality | None


class PersonDetail(Answer):
    """Somebody who is seen, without a guess who it is."""

    person_id: str = Field(description="person_1, person_2, …")
    role: str | None
    visibility_seconds: float | None
    confidence: Confidence


class Location(Answer):
    """A place that is seen."""

    name: str
    type: Literal["indoor", "outdoor", "studio", "vehicle", "screen", "other"]
    description: str | None
    confidence: Confidence


class ObjectOfInterest(Answer):
    """A thing that matters."""

    object: str
    significance: str
    timestamp: Seconds | None
    confidence: Confidence


class Entities(Answer):
    """Who and what is seen, and where."""

    people_count: int
    people_details: list[PersonDetail]
    locations: list[Location]
    objects_of_interest: list[ObjectOfInterest]


class Activity(Answer):
    """Something that happens."""

    activity: str
    timestamp: Seconds | None
    duration_seconds: float | None
    importance: Level
    confidence: Confidence


class ContentWarning(Answer):
    """Something that not everybody should see."""

    type: Literal[
        "violence", "blood", "nudity", "language", "drugs", "accident", "flashing", "other"
    ]
    severity: Level
    description: str | None
    timestamp: Seconds | None


class ContentAnalysis(Answer):
    """What it is about."""

    entities: Entities | None
    activity_summary: list[Activity]
    content_warnings: list[ContentWarning]


class AIAnalysisSummary(Answer):
    """The clip in a few words."""

    overall: str = Field(description="two to four sentences")
    key_activities: list[str]
    content_category: Literal[
        "interview",
        "presentation",
        "event",
        "documentary",
        "b_roll",
        "nature",
        "sports",
        "music",
        "travel",
        "family",
        "news",
        "tutorial",
        "screen_recording",
        "animation",
        "advertisement",
        "surveillance",
        "test_pattern",
        "other",
    ]
    mood_tone: str | None = Field(description="one or two words")
    primary_subjects: list[str]
    content_tags: list[str] = Field(description="5 to 15 words that an editor would search for")


class ClipAnalysis(Answer):
    """All that a model answers about one clip."""

    summary: AIAnalysisSummary
    visual_analysis: VisualAnalysis | None
    audio_analysis: AudioAnalysis | None
    content_analysis: ContentAnalysis | None


class ComprehensiveAIAnalysis(BaseModel):
    """What one model says of one clip, and what it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: AIAnalysisSummary
    visual_analysis: VisualAnalysis | None
    audio_analysis: AudioAnalysis | None
    content_analysis: ContentAnalysis | None
    analysis_file_path: str = Field(description="of the whole as JSON, in the artifact store")
    ai_model: str
    prompt_version: str
    processing_time_seconds: float = Field(ge=0, description="that the calls took")
    calls: int = Field(ge=1)
    input_tokens: int = Field(ge=0)
    cached_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cost_usd: float = Field(ge=0)
    warnings: tuple[str, ...]
