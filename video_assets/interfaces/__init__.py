"""How people reach the catalogue."""
