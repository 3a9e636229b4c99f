"""School kitchens: the cold chain watched through air temperature, door contact and compressor power."""

from scenewatch.scenes.kitchen.tables import KITCHEN

__all__ = ["KITCHEN"]
