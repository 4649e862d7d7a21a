"""An invented marketplace: who cleans, who posts jobs, who bids and wins, what came of it. Columns first, rows last.

The same seed, sizes and end give the same rows, ids and moments.
"""
