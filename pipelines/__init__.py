"""What the bot can do, and what it needs from the world."""
