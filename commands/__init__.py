"""What people can type."""
