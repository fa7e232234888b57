"""MOP, the Monitoring Operations Platform: see README.md; the layers are drawn in .importlinter."""

__version__ = "0.1.0"
