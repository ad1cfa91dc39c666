"""Registration: a file becomes a clip."""
