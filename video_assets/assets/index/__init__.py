"""What gathers everything that is known of a clip."""
