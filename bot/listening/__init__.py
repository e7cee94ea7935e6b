"""What Slack sends, read into the plain values that commands and handlers take."""
