"""People and the network: one process on one port, where an event takes place."""
