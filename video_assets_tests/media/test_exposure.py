"""What the measures of a clip's frames say of its picture."""

import dataclasses

import numpy as np
import pytest

from video_assets.media.exposure import field_order
from video_assets_tests.media.test_shots import seen


@pytest.mark.parametrize(
    ("misfits", "order"),
    [
        pytest.param([(50, 92, 47)], "tff", id="fields, top first"),
        pytest.param([(92, 50, 47)], "bff", id="fields, bottom first"),
        pytest.param([(80, 82, 20), (60, 59, 18)], "progressive", id="whole frames that move"),
        pytest.param([(71.4, 74.7, 66.6), (67.4, 70.9, 68.1)], "unknown", id="noise"),
        pytest.param([(101, 29, 15), (109, 32, 97), (111, 32, 16)], "bff", id="some woven"),
        pytest.param([(101, 29, 15), (80, 82, 20)], "progressive", id="none woven"),
        pytest.param([(np.nan, np.nan, np.nan)], "unknown", id="nothing moves"),
    ],
)
def test_only_what_cannot_be_noise_is_a_field_order(misfits, order):
    """Misfits of top first, of bottom first, and of the lines of the frame itself."""
    measured = dataclasses.replace(seen(), fields=np.array(misfits, np.float32))
    assert field_order(measured) == order
