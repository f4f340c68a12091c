"""The journal: what takopi wrote down is there after a crash."""
