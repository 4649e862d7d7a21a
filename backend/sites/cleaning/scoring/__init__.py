"""How cleaners stand, now and at any moment, and the columns of a pair."""
