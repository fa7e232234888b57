"""Facts → text, JSON. Nothing else formats, and nothing here decides."""
