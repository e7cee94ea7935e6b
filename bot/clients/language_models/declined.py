"""Why no language model is asked, or none was of use."""


class Declined(Exception):
    """The text is a clause for people, which follows "Written without a language model: "."""
