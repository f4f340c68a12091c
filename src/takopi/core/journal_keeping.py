"""How long the journal remembers what is over."""

__all__ = ["KEEP_GONE_S", "KEEP_KEYS_S", "KEEP_TURNS_S", "KEEP_UPDATES_S", "KEEP_USAGE_S"]

_HOUR_S = 3600.0

# Telegram hands an update out for 24 hours; two more are for clocks and a delivery that was late.
KEEP_KEYS_S = 26 * _HOUR_S
KEEP_UPDATES_S = 24 * _HOUR_S
# Replies to older messages are still read for their resume line.
KEEP_TURNS_S = 90 * 24 * _HOUR_S
# What a turn cost outlives the turn, so that a year can be counted.
KEEP_USAGE_S = 400 * 24 * _HOUR_S
# The service never gives the number of a deleted topic to another one.
KEEP_GONE_S = 90 * 24 * _HOUR_S
