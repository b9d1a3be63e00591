"""A model version in a folder of its own: read and asked anywhere, without store or server."""

from active_learning.portable.model import PortableModel, load_model

__all__ = ["PortableModel", "load_model"]
