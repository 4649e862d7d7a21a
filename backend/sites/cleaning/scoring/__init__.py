"""Scores of cleaners, now and at any past time, and the columns of a pair."""
