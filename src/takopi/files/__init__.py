"""The files of projects: what arrives from a chat is written here, and what goes to it is read."""
