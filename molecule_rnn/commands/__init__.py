"""The console scripts of molecules."""
