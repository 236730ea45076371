"""What leaves the archive in other people's formats."""
