"""Usage events from the wire to the ledger: admission, identity, batching, intake, and the emitter SDK."""
