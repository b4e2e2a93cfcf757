"""Parcels: full copies of replies, encrypted to the key of the one employee who is to read them."""
