"""What went wrong in CI: gathered, compared with the last time it went well, explained."""
