"""Acting, replay and updates, in compiled loops."""
