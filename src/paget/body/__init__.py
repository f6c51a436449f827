"""The body: tissues and organs joined by blood and lymph."""
