"""What every room stands on: the console, clocks, databases, durable files, locks, worker processes."""
