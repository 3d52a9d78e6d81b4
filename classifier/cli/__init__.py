"""The command line: one thin subcommand per stage, and the only place that prints."""
