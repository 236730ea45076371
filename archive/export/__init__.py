"""What leaves the archive, in standard formats."""
