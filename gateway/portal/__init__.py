"""The portal: the one program that browsers talk to."""
