"""The quality of every engine on anybody's data: one command, one table."""
