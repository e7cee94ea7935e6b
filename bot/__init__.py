"""Outer shell: starts, wires, listens, draws, connects."""
