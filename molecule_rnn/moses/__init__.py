"""What MOSES (Polykovskiy et al. 2020) measures of molecules, by RDKit alone."""
