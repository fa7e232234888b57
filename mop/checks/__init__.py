"""One validation a file. Each is pure: objects in, Problems out."""
