"""`python -m video_assets` is the command line."""

from video_assets.interfaces.cli.main import main

main()
