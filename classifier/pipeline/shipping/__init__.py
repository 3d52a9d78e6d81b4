"""The scorer that ships: from published corpora and the sample to a run folder with its figures."""

from classifier.pipeline.shipping.corpora import ShippingData, read_shipping_data
from classifier.pipeline.shipping.making import OPTIONS, make_scorer

__all__ = ["OPTIONS", "ShippingData", "make_scorer", "read_shipping_data"]
