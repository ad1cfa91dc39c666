"""The way back: queries, ranking, evaluation."""
