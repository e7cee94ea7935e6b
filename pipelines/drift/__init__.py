"""Drift: seen early, judged by statistics and policy, never by a model's word."""
