"""What happened since the last time, told at its time, once a slot."""
