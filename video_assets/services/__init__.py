"""Models and outside services, behind small protocols; the heavy libraries load on first use."""
