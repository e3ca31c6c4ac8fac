"""What Laurel is measured against: servers and transactions that do the least that has to be done."""
