"""What happened, and what it adds up to: the store, and pure figures over what it holds."""
