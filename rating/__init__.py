"""From usage to charges: the price book, periods, the kernels and the runs that can be repeated."""
