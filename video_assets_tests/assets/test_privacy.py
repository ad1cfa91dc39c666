"""Nothing of where, by which camera or in which file a clip was taken leaves, unless it may.

The facts are planted in a clip's tags and its path; then all that a service gets is searched.
"""

import itertools
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.describe.asking import SharingSettings, facts_of, kinds_of
from video_assets.assets.index.search_texts import SearchTexts, search_texts
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.probe import Probe
from video_assets.media.camera import describe_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves
from video_assets.media.probe import probe_media
from video_assets.services import analysis_prompt, local_models
from video_assets.services.embedder import EmbedderSettings, load_embedder
from video_assets.services.outgoing import CAMERA, DATE, PLACE, SAID, VIDEO
from video_assets.services.paid_model import Payment
from video_assets.storage.postgres import Postgres
from video_assets_tests.clips import make_clip
from video_assets_tests.services.loopback import embed, serve
from video_assets_tests.services.payer import payer

TAGS = {
    "Keys:Make": "Sonny",
    "Keys:Model": "ILX-7",
    "Keys:CreationDate": "2026:06:21 14:30:00+02:00",
    "Composite:GPSLatitude": 47.370512,
    "Composite:GPSLongitude": 8.543917,
    "XMP:LocationName": "Fraumuenster",
    "EXIF:SerialNumber": "SN-4471-XK",
    "EXIF:BodySerialNumber": "SN-4471-XK",
    "MakerNotes:SerialNumber": "SN-4471-XK",
    "EXIF:LensSerialNumber": "LS-9023-QQ",
    "Keys:Artist": "Hildegard Muster",
    "Keys:Author": "Hildegard Muster",
    "File:FileName": "Christening 0042.mp4",
    "File:Directory": "/home/hildegard/private",
}
NEVER = ("4471", "9023", "Hildegard", "hildegard", "Christening", "0042.mp4", "private")
COORDINATES = ("47.37", "8.543", "37051", "54391")
SPOKEN = "the secret of the cellar"


@pytest.fixture(scope="module")
def camera() -> Camera:
    found = Camera.model_validate(dict(describe_camera(Tags(TAGS), Moves())))
    assert (found.location.gps_latitude, found.make) == (47.370512, "Sonny")
    assert found.location.location_name
    assert found.capture is not None
    return found


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    segment = Segment(start_time=0, end_time=1, speaker=None, text=SPOKEN, confidence=None)
    return Transcript(
        full_text=SPOKEN,
        segments=(segment,),
        word_count=5,
        language="en",
        source="subtitles",
        model=None,
        has_speech=True,
        warnings=(),
    )


def found_in(text: str, secrets: tuple[str, ...]) -> list[str]:
    return [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("shared", list(itertools.product([False, True], repeat=4)))
def test_a_model_is_told_exactly_what_the_settings_share(
    camera: Camera, transcript: Transcript, shared: tuple[bool, bool, bool, bool]
):
    place, date, make, said = shared
    settings = SharingSettings(
        share_place=place, share_date=date, share_camera=make, share_transcript=said
    )
    proxy = Proxy.model_construct(duration_s=2.0, has_audio=True, file="x", file_digest="y")
    told = analysis_prompt.told_of(facts_of(proxy, None, transcript, camera, settings))
    name = camera.location.location_name or ""
    assert found_in(told, NEVER) == []
    assert bool(found_in(told, COORDINATES)) == place
    assert (name in told, "2026" in told, "ILX-7" in told, SPOKEN in told) == shared
    sends, keeps = kinds_of(VIDEO, settings)
    for kind, is_shared in zip((PLACE, DATE, CAMERA, SAID), shared, strict=True):
        assert (kind in sends, kind in keeps) == (is_shared, not is_shared)


def test_by_default_a_model_is_told_what_is_said_and_nothing_of_the_tags(
    camera: Camera, transcript: Transcript
):
    proxy = Proxy.model_construct(duration_s=2.0, has_audio=True)
    told = analysis_prompt.told_of(facts_of(proxy, None, transcript, camera, SharingSettings()))
    secrets = (*NEVER, *COORDINATES, "2026", "ILX-7", camera.location.location_name or "")
    assert (found_in(told, secrets), SPOKEN in told) == ([], True)


def test_no_byte_that_makes_vectors_tells_a_place_on_the_map_a_serial_number_or_a_file(
    camera: Camera, transcript: Transcript, catalogue: Postgres, tmp_path: Path
):
    assert search_texts
    folder = tmp_path / "Hildegard private"
    folder.mkdir()
    probe = Probe.model_validate(dict(probe_media(make_clip(folder / "Christening 0042.mp4"))))
    texts = ANALYZERS["search_texts"].function(probe, None, camera, None, transcript, None)
    assert isinstance(texts, SearchTexts)
    payment = Payment(payer(catalogue, folder).billing(), lambda: None)
    with serve() as service:
        service.answers.append(embed)
        settings = EmbedderSettings(model="letters", base_url=service.url)
        given = [texts.summary, texts.keywords, *(each.text for each in texts.passages)]
        load_embedder(settings, payment).embed(given)
        ((path, _, body),) = service.seen
    local_models._kept.pop("embedding service")[1].close()
    here = urlsplit(service.url).netloc  # some ports are among the digits that are looked for
    sent = path + body.decode() + repr(service.headers).replace(here, "here")
    assert found_in(sent, (*NEVER, *COORDINATES)) == []
    assert SPOKEN in sent
