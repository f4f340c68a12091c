"""What takopi answers itself: one module a command, put together by `registry`."""
