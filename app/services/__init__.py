"""Services of the courses list."""
