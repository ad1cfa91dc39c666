"""The check of the searches: it runs by itself, and with no batch of clips."""

import dagster as dg
import pytest

from video_assets.automation.here import QUIET
from video_assets.automation.search_check import check_search_daily
from video_assets.presets.model import preset_names
from video_assets.settings import LOCAL_OWNER, Settings
from video_assets.storage.postgres import Postgres
from video_assets_tests.search.shelves import Shelves, Told, vector

# Loading Dagster's resources warns of what its next release has to replace.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = dg.AssetCheckKey(dg.AssetKey("embeddings"), "search_recall")


def test_its_job_asks_every_owner_with_vectors(
    catalogue: Postgres, admin_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    from video_assets.definitions import defs

    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(settings.home))
    monkeypatch.setenv("SUPABASE_DB_URL", admin_url)
    shelves = Shelves(catalogue, admin_url)
    for number in range(3):
        told = Told(f"{number}.mp4", summary_vector=vector(1, number), keyword_vector=vector(1))
        shelves.add(LOCAL_OWNER, told)
    assert check_search_daily.job_name == "check_search"
    result = defs.resolve_job_def("check_search").execute_in_process(run_config=QUIET)
    (found,) = result.get_asset_check_evaluations()
    assert found.asset_check_key == KEY
    assert found.passed
    assert found.metadata["recall"].value == {str(LOCAL_OWNER): 1.0}


@pytest.mark.parametrize(
    ("name", "has_it"),
    [("check_search", True), *((name, False) for name in ("process_clips", *preset_names()))],
)
def test_no_job_over_clips_reads_every_vector(name: str, has_it: bool):
    from video_assets.definitions import defs

    keys = defs.resolve_job_def(name).asset_layer.asset_graph.asset_check_keys
    assert (KEY in keys) is has_it
