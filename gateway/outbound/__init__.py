"""What leaves the gateway: notifications, and nothing else."""
