"""Posting, bidding, hiring, payment, review, recommendations and their outcomes."""
