"""The engine: it owns time, chance and the state, and is the only one to change them."""
