"""The product on one machine's loopback, with invented people: to see, to try and to check; never for service."""
