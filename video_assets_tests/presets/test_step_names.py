"""Step names: each stands for one asset, and presets may use either."""

import pytest

from video_assets.automation.plan import analyzers, plan_of
from video_assets.presets.model import load_preset, parse_preset
from video_assets.presets.step_names import STEP_NAMES, names_of
from video_assets.presets.strict import PresetError

WRITTEN = """
name: small
steps:
  - {{category: checksum, name: {checksum}, queue: metadata}}
  - {{category: thumbnails, name: {thumbnails}, queue: metadata, params: {{count: 2}}}}
worker_config: {{metadata: 2}}
"""


def small(checksum="blake3_checksum", thumbnails="opencv_thumbs"):
    return parse_preset(WRITTEN.format(checksum=checksum, thumbnails=thumbnails), "small")


def test_every_name_stands_for_an_asset_that_is_there():
    assert {each.asset for each in STEP_NAMES.values()} <= set(analyzers())
    assert all(each.description for each in STEP_NAMES.values())


def test_a_step_is_found_by_its_asset_and_remembers_its_name():
    step = small().step("thumbnails")
    assert step is not None
    assert step.implementation == "opencv_thumbs"
    assert step.params == {"count": 2, "implementation": "opencv_thumbs"}


def test_another_way_changes_the_fingerprint_of_its_asset_alone():
    one, other = (plan_of(small(thumbnails=name)) for name in ("opencv_thumbs", "ffmpeg_thumbs"))
    changed = [
        a.asset
        for a, b in zip(one, other, strict=True)
        if a.settings_fingerprint != b.settings_fingerprint
    ]
    assert changed == ["thumbnails"]


def test_a_name_and_its_asset_are_one_step():
    with pytest.raises(PresetError, match="thumbnails stands there twice"):
        parse_preset(
            WRITTEN.format(checksum="checksum", thumbnails="ffmpeg_thumbs").replace(
                "worker_config",
                "  - {category: derive, name: thumbnails, queue: metadata}\nworker_config",
            ),
            "small",
        )


def test_a_misspelt_name_is_told_with_the_nearest_asset():
    with pytest.raises(PresetError, match="thumbnail"):
        plan_of(small(thumbnails="thumbnail"))


def test_a_catalogue_keeps_its_one_checksum_algorithm():
    small("md5_checksum").refuse_other_checksums("md5")
    load_preset("default").refuse_other_checksums("md5")
    with pytest.raises(PresetError, match="knows its clips by blake3"):
        small("md5_checksum").refuse_other_checksums("blake3")


def test_an_asset_lists_its_names():
    assert set(names_of("thumbnails")) == {"parallel_thumbs", "opencv_thumbs", "ffmpeg_thumbs"}
    assert names_of("scenes") == {}
