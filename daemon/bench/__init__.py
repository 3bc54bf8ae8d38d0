"""How fast is this machine: each stage alone, the daemon whole, the bare model beside it."""

from imgsort.daemon.bench.null_network import NullResult, null_network
from imgsort.daemon.bench.pictures import Stock
from imgsort.daemon.bench.results import BenchResult
from imgsort.daemon.bench.rounds import bench

__all__ = ["BenchResult", "NullResult", "Stock", "bench", "null_network"]
