"""What a site has to publish in DNS for its mail to be believed, and whether it does."""
