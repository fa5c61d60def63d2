"""The one door to a space."""
