"""Organic rows beside judged slots: how likely a policy would show their items, and how seldom they are met."""
