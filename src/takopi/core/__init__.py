"""Pure decisions: values in, values out; nothing here awaits, reads a clock or touches a file."""
