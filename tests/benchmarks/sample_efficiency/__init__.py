"""The parts of the PMO benchmark (Gao et al. 2022): see `tests/benchmarks/pmo.py`."""
