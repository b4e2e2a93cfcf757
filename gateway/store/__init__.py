"""Everything durable. Only ciphertext, ids, times, addresses and counts come here; only public keys are known here."""
