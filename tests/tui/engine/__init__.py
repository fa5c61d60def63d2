"""Tests of what works behind the screens."""
