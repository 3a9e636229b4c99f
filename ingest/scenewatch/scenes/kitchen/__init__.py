"""School kitchens: cold chain, hot holding, disinfection, gas and water, and the school year they live by."""

from scenewatch.scenes.kitchen.tables import KITCHEN

__all__ = ["KITCHEN"]
