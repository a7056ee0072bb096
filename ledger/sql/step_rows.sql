-- How many rows one step wrote.
SELECT count() AS rows FROM usage WHERE step = {step:UInt32} AND block BETWEEN {first:UInt64} AND {last:UInt64}
