"""A whole day with takopi, told in scenes; `test_whole_day.py` plays them in their order."""
