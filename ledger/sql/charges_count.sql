-- How many lines one run has.
SELECT count() AS lines FROM charges WHERE run = {run:UInt64}
