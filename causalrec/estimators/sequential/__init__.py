"""Several looks at one growing sample: bounds, and what can be said of the gain once one of them has been crossed."""
