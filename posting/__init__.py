"""From charges to the ERP: invoices, journals, the outbox, and the proof that both sides agree."""
