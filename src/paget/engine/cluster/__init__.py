"""Studies on clusters: a job script for SLURM, and animals as tasks of Dask; the folder on disk stays the only truth."""
