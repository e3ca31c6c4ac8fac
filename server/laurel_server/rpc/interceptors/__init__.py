"""What happens to every call before and after its servicer, one concern a file; `chain` has the order."""
