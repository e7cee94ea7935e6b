"""Durable work: what was begun is finished, whatever happens to the process."""
