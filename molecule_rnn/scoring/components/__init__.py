"""What molecules are scored by: properties, similarities, and oracles of them."""

# What a scoring function is worth is a component, and a term of the reward, so called.
SCORE = "score"
