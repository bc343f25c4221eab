"""Servers that people open in a browser, behind one guard."""
