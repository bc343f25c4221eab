"""Trials: one fixed challenger against the champion, looked at after whole weeks, with errors by the calendar."""
