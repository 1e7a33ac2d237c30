"""The console scripts, and the flags that they share."""
