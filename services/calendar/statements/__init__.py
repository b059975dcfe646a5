"""Statements ("speak with one voice"): who leads which, for which day, and by when."""
