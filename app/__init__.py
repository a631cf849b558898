"""The command line, and what it builds from settings, files and the core. Effects happen here."""
