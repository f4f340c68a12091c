"""Speed and memory, always as a ratio against something run beside it.

`python -m benchmarks` runs every figure; `python -m benchmarks NAME ...` runs some.
"""
