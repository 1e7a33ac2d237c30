"""The console scripts of melodies."""
