"""Engines: each module with a BACKEND is one."""
