"""Exported models: SavedModel, ONNX and LiteRT, each loaded back and compared before it is put in place."""

from zoo.exporting.export import FORMATS, export

__all__ = ["FORMATS", "export"]
