"""The commands, one module for each group of them; each declares its words and options and calls what does the work."""
