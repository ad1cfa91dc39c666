"""What speech models make up: text over noise, over silence, in loops, and the ends of films."""

import re
import unicodedata
import zlib
from collections.abc import Sequence

from video_assets.media.audio_speech import Range
from video_assets.services.speech_to_text import Heard

# Whisper's own thresholds.
_NO_SPEECH, _UNSURE = 0.6, -1.0
_REPEATS = 2.4
_SURE, _SURELY_SPEECH = -0.4, 0.2
_RUN = 3  # the same piece so often in a row is a loop

# Credits that stand under films and that nobody speaks.
_CREDITS = re.compile(
    r"amara\.?\s?org|dimatorzok|castingwords|subscene|opensubtitles|zdf für funk|swr 20[12]\d"
    r"|^(?:sub)?titles? by|^subtitled by|^untertitel(?:ung)? (?:im auftrag|der|von|des|aufgrund)"
    r"|^sous-titr\w* (?:réalisé|par|fait|st)|^sottotitoli (?:creati|e revisione|a cura)"
    r"|^subtítulos (?:realizados|por|creados)|^legendas pela|^ondertitel\w* (?:door|ingediend)"
    r"|^napisy (?:stworzone|by)|^субтитры (?:сделал|создавал|подогнал|и)|^редактор субтитров"
    r"|^字幕(?:by|由|志愿者|製作|制作)|^中文字幕|^자막"
)
# How films on the web end: said over silence by models, and now and then by people.
_FAREWELLS = re.compile(
    r"thank(?:s| you)(?: so much| very much)? for (?:watching|listening|your attention)"
    r"(?: this video| and.*)?"
    r"|(?:please |don't forget to |and )*(?:like|subscribe)(?:,? (?:and|to)? ?(?:like|share"
    r"|subscribe|(?:to )?my channel|(?:to )?the channel|hit the bell.*))*"
    r"|see you (?:next time|in the next (?:one|video))"
    r"|(?:vielen dank|danke)(?: fürs| für das| für die)? ?(?:zuschauen|zuhören|aufmerksamkeit)"
    r"|merci d'avoir regardé(?: cette vidéo)?|gracias por ver(?: el video| el vídeo)?"
    r"|grazie (?:per|di) (?:la visione|aver guardato)(?: il video)?|obrigado por assistir"
    r"|спасибо за просмотр|продолжение следует|ご視聴ありがとうございました"
    r"|チャンネル登録(?:を)?お願いします|謝謝(?:大家)?(?:觀看|收看|收聽)|谢谢(?:大家)?(?:观看|收看|收听)"
    r"|请不吝点赞.*|시청해주셔서 감사합니다|구독과 좋아요.*"
)


def believed(pieces: Sequence[Heard], stretches: Sequence[Range], length_s: float) -> list[Heard]:
    """Leave out what nobody said.

    stretches  in which somebody speaks, on the clock of the pieces
    length_s   of the sound that was heard
    """
    kept = [
        piece
        for piece in pieces
        if piece.text
        and 0 <= piece.start_s < length_s
        and _is_spoken_over(piece, stretches)
        and not is_made_up(piece)
    ]
    return _without_loops(kept)


def is_made_up(piece: Heard) -> bool:
    """Tell text that a model writes over noise: unsure of it, in a loop, or a film's end."""
    data = piece.text.encode()
    if max(len(data) / len(zlib.compress(data)), piece.compression or 0.0) > _REPEATS:
        return True
    plain = _plain(piece.text)
    if _CREDITS.search(plain) or (_FAREWELLS.fullmatch(plain) and not _is_sure(piece)):
        return True
    return (
        piece.no_speech_probability is not None
        and piece.no_speech_probability > _NO_SPEECH
        and (piece.mean_log_probability or 0.0) < _UNSURE
    )


def _is_sure(piece: Heard) -> bool:
    likelihood = piece.mean_log_probability
    silence = piece.no_speech_probability or 0.0
    return likelihood is not None and likelihood >= _SURE and silence <= _SURELY_SPEECH


def _is_spoken_over(piece: Heard, stretches: Sequence[Range]) -> bool:
    end_s = max(piece.end_s, piece.start_s)
    return any(piece.start_s <= end and begin <= end_s for begin, end in stretches)


def _without_loops(pieces: Sequence[Heard]) -> list[Heard]:
    """Leave one of each run of pieces that say the same."""
    runs: list[list[Heard]] = []
    for piece in pieces:
        if runs and _plain(runs[-1][-1].text) == _plain(piece.text):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [piece for run in runs for piece in (run if len(run) < _RUN else run[:1])]


def _plain(text: str) -> str:
    """Write a sentence in small letters, with straight apostrophes and no stops around it."""
    small = unicodedata.normalize("NFC", text).lower().replace("\u2019", "'")
    return re.sub(r"\s+", " ", small).strip(" .!?,\u2026\u3002\uff01\u266a-")
