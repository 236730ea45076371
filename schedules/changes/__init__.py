"""What is new, edited, gone or back, as it was found: kept, filtered, watched."""
