-- Every step that rows of usage up to a cutoff say they are of.
SELECT DISTINCT step FROM usage WHERE block <= {cutoff:UInt64} ORDER BY step
