"""Results as analyzers write them, made by hand, as far as rows and pages are made of them."""

from typing import Any

from video_assets_tests.analyses import SAID, description

DIGEST = "d" * 64

CAMERA = {
    "make": "Apple",
    "model": "iPhone 15 Pro",
    "lens_model": "back camera 6.86mm",
    "focal_length": {"value_mm": 6.86, "equivalent_35mm": 24.0, "category": "WIDE"},
    "location": {
        "gps_latitude": -33.8568,
        "gps_longitude": -70.5,
        "gps_altitude": -3.5,
        "location_name": "Santiago, Chile",
    },
    "capture": {
        "time": "2023-05-01T23:34:56.250-04:00",
        "utc_offset_minutes": -240,
        "utc_time": "2023-05-02T03:34:56.250+00:00",
        "source": "QuickTime:CreationDate",
    },
}
ESTIMATE = {"value_mm": None, "category": "TELEPHOTO", "source": "AI", "confidence": 0.8}
COLOR = {"color_primaries": "BT.2020", "hdr": {"is_hdr": True, "hdr_format": "HDR10+"}}
EXPOSURE = {"warning": True, "stops": 1.25, "overall_quality": "fair", "per_scene": []}
SOUND = {"integrated_lufs": -23.1, "true_peak_dbtp": -1.5}
PROXY = {
    "file": "aa/proxy.mp4",
    "file_digest": DIGEST,
    "size_bytes": 1000,
    "measurements": "aa/measurements.npz",
    "measurements_digest": DIGEST,
    "sound": SOUND,
}
TRACK = {"file": "aa/speech.wav", "file_digest": DIGEST, "sample_rate": 16000}
NO_TRACK = {"file": None, "file_digest": None, "sample_rate": 16000}
MEDIA_INFO = {
    "codec": {"name": "hevc", "ref_frames": 4},
    "audio_tracks": [{"track_id": "1", "language": "en", "title": "boom"}],
    "subtitle_tracks": [],
}
PROBE = {
    "container": "mp4",
    "video": {"codec": "hevc", "frame_rate": "25/1"},
    "audio_tracks": [{"track_id": "1"}],
    "subtitle_tracks": [],
    "warnings": [],
}


def scenes(*cuts: float) -> dict[str, Any]:
    """Scenes from 0 s to each cut in turn."""
    return {
        "scenes": [
            {
                "number": number,
                "start_s": start,
                "end_s": end,
                "start_frame": round(start * 25),
                "end_frame": round(end * 25),
                "begins_with": "cut" if start else "start",
                "representative_frame": f"aa/scene_{number:04d}.jpg",
                "representative_time_s": (start + end) / 2,
            }
            for number, (start, end) in enumerate(zip((0.0, *cuts), cuts, strict=False), 1)
        ]
    }


def transcript(*sentences: str, language: str = "en") -> dict[str, Any]:
    """A transcript of a sentence a second."""
    return {
        "full_text": " ".join(sentences) or None,
        "segments": [
            {
                "start_time": float(place),
                "end_time": place + 0.9,
                "speaker": None,
                "text": text,
                "confidence": 0.75,
            }
            for place, text in enumerate(sentences)
        ],
        "word_count": len(" ".join(sentences).split()),
        "language": language,
        "source": "faster_whisper",
        "model": "tiny",
    }


ALL = {
    "probe": PROBE,
    "media_info": MEDIA_INFO,
    "color": COLOR,
    "camera": CAMERA,
    "proxy": PROXY,
    "scenes": scenes(2.0, 5.5),
    "exposure": EXPOSURE,
    "audio_track": TRACK,
    "transcript": transcript("Hello there.", "Two bridges."),
    "focal_length": ESTIMATE,
    **SAID,
    "description": description(**SAID),
}
