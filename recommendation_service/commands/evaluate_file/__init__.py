"""`tandem evaluate FILE`: the quality of every engine on any file of interactions, in one table."""
