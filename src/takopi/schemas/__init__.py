"""What the engine CLIs print, as tolerant structs that declare only what is used."""
