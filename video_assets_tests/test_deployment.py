import shutil
from pathlib import Path

import yaml
from dagster._core.instance.ref import InstanceRef

ROOT = Path(__file__).resolve().parents[1]


def test_dagster_accepts_every_key_of_the_instance(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_DAGSTER_URL", "postgresql+psycopg2://u:p@localhost:1/dagster")
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    instance = InstanceRef.from_dir(str(tmp_path))
    written = yaml.safe_load((ROOT / "dagster.yaml").read_text("utf-8"))
    for key in ("run_monitoring", "run_retries", "concurrency", "retention", "telemetry"):
        assert instance.settings[key] == written[key]
    chosen = [instance.run_coordinator_data, instance.run_launcher_data, instance.storage_data]
    assert [data and data.class_name for data in chosen] == [
        "QueuedRunCoordinator",
        "DefaultRunLauncher",
        "DagsterPostgresStorage",
    ]


def test_one_file_alone_names_the_code_location():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))
    modules = [entry["python_module"]["module_name"] for entry in workspace["load_from"]]
    assert modules == ["video_assets.definitions"]
    assert "[tool.dagster" not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_ui_of_compose_is_reached_from_its_machine_alone():
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]
    assert services["ui"]["ports"] == ["127.0.0.1:3000:3000"]
    assert [name for name, each in services.items() if "ports" in each] == ["ui"]
