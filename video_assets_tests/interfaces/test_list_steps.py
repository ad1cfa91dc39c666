"""`list-steps`: every analyzer, as its own file describes it."""

from video_assets_tests.interfaces.conftest import Shell


def test_every_step_stands_in_its_category(bare_shell: Shell, settings):
    printed = bare_shell("list-steps")
    headings = [line.strip() for line in printed.splitlines() if line.strip().isupper()]
    assert headings == sorted(headings)
    assert {"INGEST", "MEASURE", "DERIVE", "INDEX"} <= set(headings)
    assert "probe (v" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert not settings.home.exists()


def test_a_step_is_described(bare_shell: Shell):
    steps = {step["name"]: step for step in bare_shell.json("list-steps")["steps"]}
    probe = steps["probe"]
    assert (probe["category"], probe["lane"], probe["needs"]) == (
        "measure",
        "metadata",
        ["checksum"],
    )
    assert probe["description"].startswith("What each clip is")
