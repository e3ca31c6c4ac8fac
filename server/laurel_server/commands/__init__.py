"""The commands of `laurel`, a module each: thin, over the parts that do the work."""
