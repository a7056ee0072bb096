"""What happens to an invoice after its lines are priced: commitments, discounts, credits and taxes, in one order."""
