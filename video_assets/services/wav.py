"""Speech as a WAV file, the form that every service takes."""

import io
import wave

import numpy as np

from video_assets.services.speech_to_text import RATE, Speech


def as_wav(speech: Speech) -> bytes:
    """Write speech as a WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes((np.clip(speech, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
