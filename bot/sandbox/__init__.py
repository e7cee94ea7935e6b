"""Stand-ins at the wire: real clients run against them unmodified. Imports nothing of ours."""
