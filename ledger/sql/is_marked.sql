-- Whether one block has its marker.
SELECT count() AS marked FROM blocks WHERE block = {block:UInt64}
