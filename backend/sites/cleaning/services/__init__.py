"""How a job comes to be, is bid for, agreed on, done, paid and judged."""
