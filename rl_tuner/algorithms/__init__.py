"""What is learned, and how it is explored: equations as pure functions."""
