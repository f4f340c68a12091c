"""How long the journal remembers what is over."""

__all__ = ["KEEP_KEYS_S", "KEEP_TURNS_S", "KEEP_UPDATES_S"]

_HOUR_S = 3600.0

# Telegram hands an update out for 24 hours; two more are for clocks and a delivery that was late.
KEEP_KEYS_S = 26 * _HOUR_S
KEEP_UPDATES_S = 24 * _HOUR_S
# Replies to older messages are still read for their resume line.
KEEP_TURNS_S = 90 * 24 * _HOUR_S
