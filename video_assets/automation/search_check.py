"""How much of what an exact search finds the searches find, asked once a day.

It reads every vector of the owners it asks for, so no batch of clips runs it.
"""

import dagster as dg

search_recall = dg.AssetSelection.checks(
    dg.AssetCheckKey(dg.AssetKey("embeddings"), "search_recall")
)

check_search = dg.define_asset_job(
    "check_search",
    selection=search_recall,
    description="How much of what an exact search finds the searches of each owner find.",
)

check_search_daily = dg.ScheduleDefinition(
    name="check_search_daily",
    job=check_search,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Holds the searches against an exact one every night.",
)
