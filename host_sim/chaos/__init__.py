"""A bad network between two ends of a TCP connection, for one machine and no privileges."""
