"""Screens: compose widgets and route between them."""
