"""Evidence: the Merkle tree over sealed objects, signed checkpoints, time stamps, and the script that checks them."""
