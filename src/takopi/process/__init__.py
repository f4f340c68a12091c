"""Processes: run directories, the holder that owns an engine, following its output."""
