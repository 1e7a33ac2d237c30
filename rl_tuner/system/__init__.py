"""Files, processes, memory, signals: nothing of learning."""
