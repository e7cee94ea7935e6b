"""From huge logs to the few lines that matter: bytes in, frozen values out."""
