"""Work with git: a directory for each branch, and what was changed in it."""
