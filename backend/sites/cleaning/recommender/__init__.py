"""Both lists: who may be shown, what is said of them, what is kept and what came of it."""
