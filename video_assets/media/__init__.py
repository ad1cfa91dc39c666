"""How bytes, frames and samples become numbers; knows no Dagster and no database."""
