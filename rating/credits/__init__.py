"""Prepaid, promotional and recurring credit: what is granted, the order it burns in, and every movement of it."""
