"""What the policy that made the logs would have shown, from what is logged or from its stored bundle."""
