"""Prices composed of small parts, and whole columns of lines rated by them."""
