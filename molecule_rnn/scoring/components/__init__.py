"""What molecules are scored by: properties, similarities, and oracles of them."""
