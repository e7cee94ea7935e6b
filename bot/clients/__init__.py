"""Keeps the promises of pipelines/ports.py with real services."""
