"""The record that the stages share: blocks and their chain, usage at a cutoff, charges, traces, verification."""
