"""Small tools that plug-ins for takopi import; their names are public."""
