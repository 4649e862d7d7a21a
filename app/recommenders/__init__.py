"""The strategies of the courses list as Python classes, over the one pipeline."""
