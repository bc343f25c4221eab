"""A plan from the variance that was seen: which gain is found in how many weeks, and what more exploration buys."""
