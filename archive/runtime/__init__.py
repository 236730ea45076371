"""What all other packages build on: the console, clocks, databases, durable files, locks, worker processes."""
