"""Load benches, each beside a baseline measured in the same run."""
