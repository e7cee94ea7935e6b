"""What happens to us: clicks, forms, mentions, webhooks."""
