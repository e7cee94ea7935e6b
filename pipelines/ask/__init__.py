"""Answers from the team's own documents, with citations that were checked."""
